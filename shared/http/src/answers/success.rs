//! The answer of a call that succeeded.

use std::collections::BTreeSet;

use latchkey_core::error::{Cause, Fault};
use latchkey_core::findings::Report;
use latchkey_core::operations::VaultView;
use latchkey_core::values::VaultId;
use latchkey_core::vault::VaultTag;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::answers::Problem;
use crate::answers::vault_response::VaultResponse;
use crate::secret_text::secret_json;

/// The answer of a call that succeeded.
pub struct Success {
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) vault_id: Option<VaultId>,
    pub(crate) items: Option<usize>,
    pub(crate) items_failed: Option<usize>,
    pub(crate) item_faults: BTreeSet<Fault>,
    pub(crate) etag: Option<VaultTag>,
}

impl Success {
    /// An answer with this status and this body.
    ///
    /// # Errors
    /// An internal [`Problem`] when the body cannot be written as JSON.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self, Problem> {
        let body = secret_json(body).ok_or_else(|| Problem::internal(Cause::AnswerNotWritten))?;
        Ok(Self::with_body(status, Body::Json(body)))
    }

    /// A file to be saved.
    pub fn file(status: u16, file: FileAnswer) -> Self {
        Self::with_body(status, Body::File(file))
    }

    fn with_body(status: u16, body: Body) -> Self {
        Self {
            status,
            body,
            vault_id: None,
            items: None,
            items_failed: None,
            item_faults: BTreeSet::new(),
            etag: None,
        }
    }

    /// One vault, with its ETag.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(crate) fn vault(status: u16, view: VaultView, validation: Option<Report>) -> Result<Self, Problem> {
        let (vault_id, etag) = (view.vault.vault_id.clone(), Some(view.tag()));
        let success = Self::json(status, &VaultResponse::new(view, validation))?.about_vault(vault_id);
        Ok(Self { etag, ..success })
    }

    /// Names the vault for the audit log.
    #[must_use]
    pub fn about_vault(self, vault_id: VaultId) -> Self {
        Self {
            vault_id: Some(vault_id),
            ..self
        }
    }

    /// Counts the items for the audit log. `failed` says whose fault it is for each item that failed on its own.
    #[must_use]
    pub fn about_items(self, items: usize, failed: &[Fault]) -> Self {
        Self {
            items: Some(items),
            items_failed: Some(failed.len()),
            item_faults: failed.iter().copied().collect(),
            ..self
        }
    }
}

/// The body of an answer.
pub(crate) enum Body {
    Json(Zeroizing<String>),
    File(FileAnswer),
}

/// A file as an answer.
pub struct FileAnswer {
    /// Its media type.
    pub media_type: &'static str,
    /// The name to save it under: letters, digits, `.` and `-` only.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}
