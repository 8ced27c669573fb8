//! This release reads everything that each earlier release wrote, and the next one will read what this one writes. What
//! a release wrote is in tests/compat/<version>. tests/compat/README.md says what is there and how it is made.

mod freezing;
mod frozen_items;
mod frozen_vaults;
mod later_release;
mod past;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use aws_sdk_dynamodb::types::AttributeValue;
use base64ct::{Base64, Encoding};
use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::operations::{DecryptItemCommand, VaultView};
use latchkey_core::values::{AwsAccountId, CustomerKey, KmsKeyId, RoleArn, VaultId};
use latchkey_in_memory::{InMemoryCustomer, RsaKeyPair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fixtures::workspace;
use crate::record_fixtures::at;
use crate::service::World;

/// One release: everything that it wrote, and what it answered about it.
struct Release {
    version: String,
    service: FrozenService,
    /// The vaults as they were answered, the waiting announcements included.
    vaults: Vec<Value>,
    items: Vec<FrozenItem>,
    records: Vec<HashMap<String, AttributeValue>>,
}

/// The workspace, the time and the keys with which a release was frozen.
#[derive(Clone, Serialize, Deserialize)]
struct FrozenService {
    frozen_at: String,
    workspace_id: String,
    customer: FrozenKey,
    managed: FrozenKey,
}

/// A key that was made for these tests, with the role that gives access to it.
#[derive(Clone, Serialize, Deserialize)]
struct FrozenKey {
    aws_account_id: String,
    kms_key_id: String,
    aws_role_arn: String,
    private_key_pkcs8: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct FrozenItem {
    name: String,
    vault_id: String,
    item_id: String,
    context: std::collections::BTreeMap<String, String>,
    plaintext: String,
    sealed_item: String,
}

fn folder_of_releases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compat")
}

/// Every frozen release.
fn releases() -> Vec<Release> {
    let entries = fs::read_dir(folder_of_releases()).expect("tests/compat");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    let found: Vec<_> = folders
        .filter(|path| path.is_dir())
        .map(|path| Release::read(&path))
        .collect();
    assert!(!found.is_empty(), "what no release wrote is no test");
    found
}

impl Release {
    fn read(folder: &Path) -> Self {
        fn parsed<T: for<'de> Deserialize<'de>>(folder: &Path, file: &str) -> T {
            let text = fs::read_to_string(folder.join(file)).expect(file);
            serde_json::from_str(&text).expect(file)
        }
        let records: Vec<serde_dynamo::Item> = parsed(folder, "records.json");
        Self {
            version: folder.file_name().expect("a version").to_string_lossy().into_owned(),
            service: parsed(folder, "service.json"),
            vaults: parsed(folder, "vaults.json"),
            items: parsed(folder, "items.json"),
            records: records.into_iter().map(HashMap::from).collect(),
        }
    }

    /// Saves the release. Fails if this version is frozen already.
    fn freeze(self) -> io::Result<()> {
        let folder = folder_of_releases().join(&self.version);
        fs::create_dir(&folder)?;
        let records: Vec<serde_dynamo::Item> = self.records.into_iter().map(Into::into).collect();
        for (file, content) in [
            ("service.json", json!(self.service)),
            ("vaults.json", json!(self.vaults)),
            ("items.json", json!(self.items)),
            ("records.json", json!(records)),
        ] {
            let mut content = content;
            content.sort_all_objects();
            fs::write(folder.join(file), serde_json::to_string_pretty(&content)? + "\n")?;
        }
        Ok(())
    }

    /// The service at the moment when it was frozen, with only these records.
    async fn world(&self) -> World {
        let (customer, managed) = self.service.keys();
        let world = World::of(customer, Some(managed), at(&self.service.frozen_at)).await;
        for record in &self.records {
            world.db.put(record.clone()).await;
        }
        world
    }

    fn caller(&self) -> Caller {
        self.service.caller()
    }

    /// The vaults whose `field` had this value.
    fn vaults_with(&self, field: &str, value: &str) -> Vec<VaultId> {
        let of = self.vaults.iter().filter(|vault| vault[field] == value);
        of.map(|vault| VaultId::parse(vault["vault_id"].as_str().expect("text")).expect("an id"))
            .collect()
    }
}

impl FrozenService {
    /// The customer, and the service's own key, as KMS has them in both Regions.
    fn keys(&self) -> (InMemoryCustomer, InMemoryCustomer) {
        let managed = self.managed.held(&self.workspace_id);
        managed.change_role(|role| {
            role.takes_missing_external_id = true;
            role.takes_wrong_external_id = true;
        });
        (self.customer.held(&self.workspace_id), managed)
    }

    fn caller(&self) -> Caller {
        Caller {
            workspace_id: workspace(&self.workspace_id),
            role: WorkspaceRole::Owner,
            subject: "owner-1".to_owned(),
        }
    }
}

impl FrozenKey {
    fn key(&self) -> CustomerKey {
        CustomerKey {
            account_id: AwsAccountId::parse(&self.aws_account_id).expect("valid"),
            key_id: KmsKeyId::parse(&self.kms_key_id).expect("valid"),
        }
    }

    fn role_arn(&self) -> RoleArn {
        RoleArn::parse(&self.aws_role_arn).expect("valid")
    }

    fn held(&self, workspace_id: &str) -> InMemoryCustomer {
        let pkcs8 = Base64::decode_vec(&self.private_key_pkcs8).expect("base64");
        let key_pair = RsaKeyPair::from_pkcs8(&pkcs8).expect("a key");
        InMemoryCustomer::new(self.key(), &key_pair, self.role_arn(), workspace(workspace_id))
    }
}

impl FrozenItem {
    fn command(&self) -> DecryptItemCommand {
        DecryptItemCommand {
            item_id: self.item_id.clone(),
            context: self.context.clone(),
            sealed_item: Base64::decode_vec(&self.sealed_item).expect("base64"),
        }
    }

    fn plaintext(&self) -> Vec<u8> {
        Base64::decode_vec(&self.plaintext).expect("base64")
    }
}

/// All that is answered about a vault, and what else is on record.
fn told(view: &VaultView) -> Value {
    let vault = &view.vault;
    json!({
        "vault_id": vault.vault_id,
        "name": vault.name.as_str(),
        "strategy": vault.strategy,
        "status": vault.status,
        "is_default": view.is_default,
        "aws_account_id": vault.customer_key.account_id.as_str(),
        "kms_key_id": vault.customer_key.key_id.as_str(),
        "aws_role_arn": vault.aws_role_arn.as_str(),
        "key_spec": vault.key_spec,
        "public_key_sha256": vault.public_key.sha256_hex(),
        "data_key_cache_seconds": vault.data_key_cache.seconds(),
        "health": vault.health,
        "unanswered_in_a_row": vault.health.unanswered_in_a_row,
        "unannounced": vault.health.unannounced,
        "deletion_announced_at": vault.health.deletion_announced_at,
        "health_revision": vault.health.revision,
        "due_at": vault.due.at,
        "whole_due_from": vault.due.whole_from,
        "created_at": vault.created_at,
        "created_by": vault.created_by,
        "version": vault.version,
        "updated_at": vault.updated_at,
    })
}

/// Asserts that everything that was answered then is still answered. There may be more now.
fn assert_still_told(frozen: &Value, now: &Value, place: &str) {
    match (frozen, now) {
        (Value::Object(frozen), Value::Object(now)) => {
            for (field, value) in frozen {
                let told = now
                    .get(field)
                    .unwrap_or_else(|| panic!("{place}: {field} is told no more"));
                assert_still_told(value, told, &format!("{place}: {field}"));
            }
        }
        (Value::Array(frozen), Value::Array(now)) if frozen.len() == now.len() => {
            for (index, (frozen, now)) in frozen.iter().zip(now).enumerate() {
                assert_still_told(frozen, now, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(frozen, now, "{place}"),
    }
}
