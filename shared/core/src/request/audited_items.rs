//! The items that a request is about, as the audit log may name them.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::values::{VaultId, WorkspaceId};

/// Begins what is hashed, so that the hash of an item id is the hash of nothing else.
const DOMAIN: &[u8] = b"latchkey:item-id:v1";
/// 128 bits: enough for no two ids of a workspace to meet by chance, and half the length in each line.
const LENGTH: usize = 16;

/// The name of an item where its id must not stand: the first 128 bits of SHA-256 over a domain, the workspace id and the
/// item id, a zero byte between them, in hexadecimal.
///
/// Who knows the workspace id and the item id can find the item's lines; two workspaces' items of one id have different
/// hashes. It hides an id no better than the id can be guessed: docs/audit.md says so, and why there is no key in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ItemIdHash(String);

impl ItemIdHash {
    /// The hash of an item id. No workspace id has a zero byte in it, so no two pairs are hashed alike.
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
    /// All that were asked for, in the order of the request.
    pub asked: Vec<ItemIdHash>,
    /// Those of them that failed by themselves.
    pub failed: Vec<ItemIdHash>,
    /// The vaults that the items were sealed in, or were to be.
    pub vault_ids: BTreeSet<VaultId>,
    /// What was sealed anew.
    pub sealed: Option<SealedItems>,
}

/// How many items were sealed, and under which data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedItems {
    /// So many messages.
    pub items: usize,
    /// Which data key of the vault's period it was: 1, until the environment that sealed has used up its share of the first.
    pub data_key_generation: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(workspace_id: &str, item_id: &str) -> ItemIdHash {
        ItemIdHash::new(&WorkspaceId::parse(workspace_id).expect("valid"), item_id)
    }

    /// As docs/audit.md has it: `printf 'latchkey:item-id:v1\0%s\0%s' ws-acme-0001 account-1/password | sha256sum`.
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
