//! The invariants of docs/lifecycle.md, checked against the records.

use std::collections::BTreeMap;

use latchkey_core::ports::VaultStore;
use latchkey_core::vault::{Vault, VaultStatus};
use latchkey_in_memory::InMemoryRecords;

use crate::fixtures::workspace;

/// What must hold at every moment, also between any two writes and after any crash.
pub(crate) async fn assert_never_wrong(records: &InMemoryRecords) {
    let vaults = records.vaults(&workspace());
    let mut by_name: BTreeMap<String, &Vault> = BTreeMap::new();
    for vault in &vaults {
        let twin = by_name.insert(vault.name.normalized(), vault);
        assert!(
            twin.is_none(),
            "two vaults are called {:?}: {vault:?} {twin:?}",
            vault.name
        );
        let claim = records.name_claim(&workspace(), &vault.name).await.unwrap();
        let stands_for = claim.map(|claim| claim.vault_id);
        assert_eq!(
            stands_for.as_ref(),
            Some(&vault.vault_id),
            "{:?} stands for its vault",
            vault.name
        );
    }
    if let Some(default) = records.default_vault_id(&workspace()).await.unwrap() {
        assert!(
            vaults.iter().any(|vault| vault.vault_id == default),
            "the default exists"
        );
    }
}

/// What must also hold once nothing is under way and every crashed operation has been retried.
pub(crate) async fn assert_tidy(records: &InMemoryRecords) {
    assert_never_wrong(records).await;
    if let Some(default) = records.default_vault_id(&workspace()).await.unwrap() {
        let vault = records.vault(&workspace(), &default).await.unwrap().unwrap();
        assert_eq!(
            vault.status,
            VaultStatus::Active,
            "a vault that takes no items is not the default"
        );
    }
}
