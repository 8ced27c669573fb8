//! The most data keys that an execution environment holds.

use futures::FutureExt as _;
use latchkey_core::data_keys::cache::{CAPACITY, DataKeyCache, UnwrappedDataKey};
use latchkey_core::ports::Clock;
use latchkey_core::values::VaultId;
use latchkey_core::vault::{IssuedDataKey, Vault};
use sealed_item::PlaintextDataKey;

use crate::fixtures::{Service, workspace};

#[tokio::test]
async fn the_cache_holds_a_bounded_number_of_data_keys() {
    let (service, _) = Service::with_vault(300).await;
    service.environment().seal("item").await.unwrap();
    let issued = service.records.data_keys().remove(0);
    let vault = service.records.vaults(&workspace()).remove(0);
    let cache = DataKeyCache::new(service.clock.clone());
    let vaults: Vec<Vault> = (0..CAPACITY * 2).map(|_| vault_like(&vault)).collect();
    for vault in &vaults {
        let unwrapped = UnwrappedDataKey {
            issued: IssuedDataKey::clone(&issued),
            plaintext: PlaintextDataKey::generate().unwrap(),
            proven_at: service.clock.now(),
        };
        let unwrap = async { Ok(unwrapped) }.boxed();
        let held = cache.held_or(vault, &issued.data_key_id, unwrap).await;
        assert!(held.is_ok());
    }
    let mut held = 0;
    for vault in &vaults {
        held += u64::from(cache.held(vault, &issued.data_key_id).await.is_some());
    }
    assert!(
        (CAPACITY / 2..=CAPACITY + CAPACITY / 10).contains(&held),
        "{held} of {CAPACITY}"
    );
}

fn vault_like(vault: &Vault) -> Vault {
    Vault {
        vault_id: VaultId::generate(),
        ..vault.clone()
    }
}
