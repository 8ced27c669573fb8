//! The setup kit as a zip. The same kit always gives the same bytes, so its SHA-256 can be stated beforehand.

use std::io::{Cursor, Write};

use aws_lc_rs::digest::{SHA256, digest};
use latchkey_core::setup_kit::SetupKit;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Everything is in one folder, so that unpacking does not litter the current one.
const FOLDER: &str = "latchkey-setup-kit";

pub(crate) struct SetupKitArchive(Vec<u8>);

impl SetupKitArchive {
    pub(crate) const FILE_NAME: &'static str = "latchkey-setup-kit.zip";

    pub(crate) fn of(kit: &SetupKit) -> ZipResult<Self> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for file in kit.files() {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .last_modified_time(DateTime::DEFAULT)
                .unix_permissions(if file.executable { 0o755 } else { 0o644 });
            archive.start_file(format!("{FOLDER}/{}", file.name), options)?;
            archive.write_all(file.text.as_bytes())?;
        }
        Ok(Self(archive.finish()?.into_inner()))
    }

    pub(crate) fn sha256(&self) -> String {
        let digest = digest(&SHA256, &self.0);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
