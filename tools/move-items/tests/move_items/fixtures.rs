//! A move of some items, from one file to another.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use move_items::client::Client;
use move_items::disk::{Disk, LocalDisk};
use move_items::ledger::{failures_path, journal_path};
use move_items::progress::Progress;
use move_items::report::Report;
use move_items::run::move_all;
use move_items::stop::Stop;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::{NEW, OLD, Service};

/// A folder, a service, and the target.
pub(crate) struct Move {
    pub(crate) folder: TempDir,
    pub(crate) service: Service,
    pub(crate) parallel: usize,
    pub(crate) to: &'static str,
}

impl Move {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            service: Service::new(),
            parallel: 3,
            to: NEW,
        }
    }

    pub(crate) fn output_path(&self) -> PathBuf {
        self.folder.path().join("output.jsonl")
    }

    pub(crate) fn output(&self) -> Vec<String> {
        lines_of(&self.output_path())
    }

    pub(crate) fn failures(&self) -> Vec<Value> {
        let lines = lines_of(&failures_path(&self.output_path()));
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The journal. `null` before there is one.
    pub(crate) fn journal(&self) -> Value {
        fs::read(journal_path(&self.output_path())).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap())
    }

    pub(crate) fn client(&self) -> Client<Service> {
        Client {
            transport: self.service.clone(),
            to_vault_id: self.to.to_owned(),
            patience: Duration::from_secs(300),
        }
    }

    pub(crate) async fn run(&self, input: &str) -> Result<Report, Stop> {
        self.run_on(LocalDisk, input, false).await
    }

    pub(crate) async fn compare(&self, input: &str) -> Result<Report, Stop> {
        self.run_on(LocalDisk, input, true).await
    }

    pub(crate) async fn run_on(&self, disk: impl Disk, input: &str, compare: bool) -> Result<Report, Stop> {
        let reader = || Cursor::new(input.as_bytes().to_vec());
        move_all(
            disk,
            &self.output_path(),
            &self.client(),
            reader(),
            compare.then(reader),
            self.parallel,
            &mut Progress::hidden(),
        )
        .await
    }

    /// A line with an item of the old vault.
    pub(crate) fn line(&self, number: usize) -> String {
        self.line_in(OLD, &format!("item-{number}"))
    }

    pub(crate) fn line_in(&self, vault_id: &str, item_id: &str) -> String {
        let context = json!({ "owner": "ann" });
        let sealed = self.service.seal(vault_id, item_id, &context, &plaintext_of(item_id));
        format!(r#"{{"item_id": "{item_id}", "sealed_item":"{sealed}","context":{context}, "kept": 1.10}}"#)
    }

    pub(crate) fn input(&self, items: usize) -> String {
        (0..items).map(|number| self.line(number) + "\n").collect()
    }
}

pub(crate) fn plaintext_of(item_id: &str) -> Vec<u8> {
    format!("canary of {item_id}").into_bytes()
}

pub(crate) fn lines_of(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "a torn line");
    text.lines().map(str::to_owned).collect()
}
