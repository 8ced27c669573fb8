//! What must be true of the records, the items and the events, whatever was killed or lost.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::data_keys::ItemOrigin;
use latchkey_core::error::Error;
use latchkey_core::health::HealthState;
use latchkey_core::operations::VaultFilter;
use latchkey_core::ports::{DataKeyStore, VaultStore};
use latchkey_core::values::{Region, VaultId};
use latchkey_core::vault::announcement::{Announcement, News};
use latchkey_core::vault::{DataKeyId, Vault, VaultStatus};
use latchkey_in_memory::KeyState;
use sealed_item::item::SealedItem;

use crate::fixtures::{context, workspace};
use crate::record_fixtures::name;
use crate::scenarios::{plaintext_of, sweep};
use crate::service::{World, admin};

/// What must be true at any moment, even right after an operation was killed.
pub(crate) async fn assert_never_wrong(world: &World) {
    let (ws, records) = (workspace("ws-acme"), &world.db.records);
    let vaults = all_vaults(world).await;
    let names: BTreeSet<_> = vaults.iter().map(|vault| vault.name.normalized()).collect();
    assert_eq!(names.len(), vaults.len(), "each name is one vault's");
    for vault in &vaults {
        let claim = records.name_claim(&ws, &vault.name).await.expect("read");
        let claim = claim.expect("no vault is without a claim on its name");
        assert_eq!(claim.vault_id, vault.vault_id, "the claim on a vault's name is its own");
        assert!(claim.version <= vault.version, "{claim:?}");
    }
    let listed = world.environment(Region::UsWest2).list_vaults();
    let listed = listed.run(&context(), &admin(), VaultFilter::NONE, None, 10).await;
    let listed = listed.expect("listed").vaults;
    assert_eq!(listed.len(), vaults.len());
    let defaults: Vec<_> = listed.iter().filter(|view| view.is_default).collect();
    assert!(defaults.len() <= 1, "at most one vault is the default");
    assert!(
        defaults.iter().all(|view| view.vault.status == VaultStatus::Active),
        "a vault that takes no items is nobody's default"
    );
    assert_every_record_is_whole(world, &vaults).await;
}

/// Every record can be read as the kind that its key states, and every data key belongs to a vault.
async fn assert_every_record_is_whole(world: &World, vaults: &[Vault]) {
    let (ws, records) = (workspace("ws-acme"), &world.db.records);
    for item in world.db.items().await {
        let text = |attribute: &str| {
            item.get(attribute)
                .and_then(|it| it.as_s().ok())
                .map_or("", String::as_str)
        };
        let (kind, rest) = text("sk").split_once('#').unwrap_or((text("sk"), ""));
        match kind {
            "VAULT" => assert!(vaults.iter().any(|vault| vault.vault_id.as_str() == rest)),
            "NAME" => assert!(records.name_claim(&ws, &name(rest)).await.expect("whole").is_some()),
            "DEFAULT" => {
                let default = records.default_vault_id(&ws).await.expect("whole");
                assert!(
                    vaults.iter().any(|vault| Some(&vault.vault_id) == default.as_ref()),
                    "the default exists"
                );
            }
            "DATAKEY" => {
                let vault_id = VaultId::parse(text("pk").trim_start_matches("VAULT#")).expect("an id");
                let data_key_id = DataKeyId::parse(rest).expect("an id");
                assert!(
                    vaults.iter().any(|vault| vault.vault_id == vault_id),
                    "a data key is a vault's"
                );
                assert!(
                    records
                        .data_key(&vault_id, &data_key_id)
                        .await
                        .expect("whole")
                        .is_some()
                );
            }
            _ => panic!("a record of no kind: {item:?}"),
        }
        assert!(
            matches!(item.get("record_version"), Some(AttributeValue::N(_))),
            "{item:?}"
        );
    }
}

/// What must also be true once every operation that was killed has been repeated.
pub(crate) async fn assert_tidy(world: &World) {
    assert_never_wrong(world).await;
    let (ws, records) = (workspace("ws-acme"), &world.db.records);
    if let Some(default) = records.default_vault_id(&ws).await.expect("read") {
        let vault = records.vault(&ws, &default).await.expect("read").expect("there");
        assert_eq!(
            vault.status,
            VaultStatus::Active,
            "the default stays on no vault that takes no items"
        );
    }
}

/// Every item that any caller was given can be opened with what is on record, unless its vault is disabled.
pub(crate) async fn assert_every_item_opens(world: &World) {
    let vaults = all_vaults(world).await;
    for region in Region::ALL {
        for item in world.answered() {
            let sealed = SealedItem::parse(&item.sealed_item).expect("a sealed item");
            let of = ItemOrigin::from_encryption_context(sealed.encryption_context());
            let vault_id = of.expect("an origin").vault_id;
            let vault = vaults
                .iter()
                .find(|vault| vault.vault_id == vault_id)
                .expect("on record");
            let (item_id, opens) = (item.item_id.clone(), vault.status.opens());
            let decrypt = world.environment(region).decrypt_item();
            let opened = decrypt.run(&context(), &admin(), vec![item]).await.remove(0);
            match opened.outcome {
                Ok(plaintext) => assert_eq!(plaintext.as_bytes(), plaintext_of(&item_id)),
                Err(Error::WrongVaultStatus { .. }) => assert!(!opens, "{item_id}"),
                Err(error) => panic!("{item_id} is lost: {error}"),
            }
        }
    }
}

/// Mends the key and lets minutes pass. A listener that drops repeated event ids has then heard of each change once, in
/// order, and of nothing else.
pub(crate) async fn assert_events_tell(world: &World, changes: &[(HealthState, HealthState)], reminders: usize) {
    world.a_minute_passes();
    sweep(&world.environment(Region::UsWest2)).await;
    world.set_key_state(KeyState::Enabled);
    for region in Region::ALL {
        world.a_minute_passes();
        sweep(&world.environment(region)).await;
    }
    let mut by_id: BTreeMap<String, Announcement> = BTreeMap::new();
    let mut told: BTreeMap<String, (Vec<_>, BTreeSet<String>)> = BTreeMap::new();
    for event in world.event_bus.events() {
        let (told, reminded) = told.entry(event.vault_id.clone()).or_default();
        let News::HealthChanged(change) = &event.news else {
            reminded.insert(event.event_id);
            continue;
        };
        let change = (change.previous_state, change.state);
        match by_id.insert(event.event_id.clone(), event.clone()) {
            None => told.push(change),
            Some(before) => assert_eq!(before, event, "what has one id is one thing"),
        }
    }
    let quiet = (Vec::new(), BTreeSet::new());
    for vault in all_vaults(world).await {
        let (told, reminded) = told.get(vault.vault_id.as_str()).unwrap_or(&quiet);
        assert_eq!((told.as_slice(), reminded.len()), (changes, reminders));
        assert_eq!(vault.health.unannounced, [], "nothing is left to tell");
    }
}

pub(crate) async fn all_vaults(world: &World) -> Vec<Vault> {
    let page = world.db.records.list_vaults(&workspace("ws-acme"), None, 100).await;
    page.expect("every vault is whole").vaults
}
