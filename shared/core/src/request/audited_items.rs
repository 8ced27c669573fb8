//! The items of a request, as the audit log names them.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::values::{VaultId, WorkspaceId};

/// The prefix of what is hashed. It keeps the hash of an item id apart from the hash of anything else.
const DOMAIN: &[u8] = b"latchkey:item-id:v1";
/// 128 bits make a collision within a workspace negligible, at half the length of a full hash in each log line.
const LENGTH: usize = 16;

/// Names an item where its id must not appear: the first 128 bits of SHA-256 over a domain, the workspace id and the
/// item id, separated by zero bytes, in hexadecimal.
///
/// Anyone who knows the workspace id and the item id can find the item's log lines. The same item id in two workspaces
/// has two different hashes. An item id that can be guessed can be recovered from its hash: docs/audit.md says so, and
/// why the hash is not keyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ItemIdHash(String);

impl ItemIdHash {
    /// Hashes an item id. A workspace id contains no zero byte, so no two pairs have the same hash input.
    pub fn new(workspace_id: &WorkspaceId, item_id: &str) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [
            DOMAIN,
            b"\0",
            workspace_id.as_str().as_bytes(),
            b"\0",
            item_id.as_bytes(),
        ] {
            context.update(part);
        }
        let digest = context.finish();
        Self(
            digest
                .as_ref()
                .iter()
                .take(LENGTH)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }
}

/// The items of one request.
#[derive(Clone, Debug, Default)]
pub struct AuditedItems {
    /// All items that were asked for, in the order of the request.
    pub asked: Vec<ItemIdHash>,
    /// The items that failed on their own, while the request went on.
    pub failed: Vec<ItemIdHash>,
    /// The vaults that the items were sealed in, or were to be.
    pub vault_ids: BTreeSet<VaultId>,
    /// What was newly sealed.
    pub sealed: Option<SealedItems>,
}

/// How many items were sealed, and under which data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedItems {
    /// The number of items.
    pub items: usize,
    /// The generation of the data key within its period. It is 1 until the environment has used up its share of the
    /// first one.
    pub data_key_generation: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(workspace_id: &str, item_id: &str) -> ItemIdHash {
        ItemIdHash::new(&WorkspaceId::parse(workspace_id).expect("valid"), item_id)
    }

    /// The example in docs/audit.md: `printf 'latchkey:item-id:v1\0%s\0%s' ws-acme-0001 account-1/password |
    /// sha256sum`.
    #[test]
    fn the_hash_is_the_one_that_is_documented() {
        let ItemIdHash(hash) = hash("ws-acme-0001", "account-1/password");
        assert_eq!(hash, "4372346435eebbd850daaa2f7ad4c5f5");
    }

    #[test]
    fn another_workspace_or_item_has_another_hash() {
        let one = hash("ws-acme", "item-1");
        for (workspace_id, item_id) in [
            ("ws-acm", "eitem-1"),
            ("ws-Acme", "item-1"),
            ("ws-acme", "Item-1"),
            ("ws-acme", ""),
        ] {
            assert_ne!(one, hash(workspace_id, item_id));
        }
    }
}
