//! update-vault and enable-vault: what they change, what they leave, and what they refuse.

use std::time::Duration;

use futures::future::join;
use latchkey_core::Error;
use latchkey_core::operations::{DisableMode, UpdateVaultCommand, VaultView};
use latchkey_core::ports::{Clock, VaultStore};
use latchkey_core::values::{DataKeyCacheBound, VaultId, VaultName};
use latchkey_core::vault::{Precondition, VaultStatus};
use latchkey_in_memory::{KeyState, WriteFault};
use tokio::time::timeout;

use crate::fixtures::{Service, admin, command, request, workspace};

fn to_bound(seconds: u64) -> UpdateVaultCommand {
    UpdateVaultCommand {
        data_key_cache: Some(DataKeyCacheBound::from_seconds(seconds).unwrap()),
        ..UpdateVaultCommand::default()
    }
}

fn to_name(name: &str) -> UpdateVaultCommand {
    UpdateVaultCommand {
        name: Some(VaultName::parse(name).unwrap()),
        ..UpdateVaultCommand::default()
    }
}

async fn update(service: &Service, vault_id: &VaultId, asked: &UpdateVaultCommand) -> Result<VaultView, Error> {
    let update = service.update_vault();
    update
        .run(&request(), &admin(), vault_id, asked, &Precondition::None)
        .await
}

async fn disable(service: &Service, vault_id: &VaultId) {
    let disable = service.disable_vault();
    let disabled = disable.run(&request(), &admin(), vault_id, DisableMode::Disabled).await;
    disabled.unwrap();
}

async fn enable(service: &Service, vault_id: &VaultId) -> Result<VaultView, Error> {
    let enable = service.enable_vault();
    let enabled = enable.run(&request(), &admin(), vault_id, &Precondition::None).await;
    enabled.map(|(view, _)| view)
}

#[tokio::test]
async fn a_shorter_bound_holds_for_data_keys_that_are_held_already() {
    let (service, vault_id) = Service::with_vault(300).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.clock.advance(Duration::from_secs(10));
    environment.open("item", &sealed).await.unwrap();
    update(&service, &vault_id, &to_bound(5)).await.unwrap();
    assert!(matches!(
        environment.open("item", &sealed).await,
        Err(Error::KeyRefused { .. })
    ));
    assert!(environment.seal("item").await.is_err());
}

/// A longer bound does not bring back access that the customer has ended: `access_ends_by` was stated under the shorter
/// bound.
#[tokio::test]
async fn a_bound_that_is_made_longer_again_brings_back_nothing() {
    let (service, vault_id) = Service::with_vault(300).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    update(&service, &vault_id, &to_bound(5)).await.unwrap();
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let validated = service.validate_vault().run(&request(), &admin(), &vault_id).await;
    validated.unwrap();
    let vault = service.records.vault(&workspace(), &vault_id).await.unwrap().unwrap();
    let stated = vault.health.checked_at + Duration::from_secs(5);
    assert_eq!(vault.health.access_ends_by, Some(stated));
    service.clock.advance(Duration::from_secs(6));
    update(&service, &vault_id, &to_bound(300)).await.unwrap();
    assert!(matches!(
        environment.open("item", &sealed).await,
        Err(Error::KeyRefused { .. })
    ));
}

/// As if the environment was idle while the vault was disabled, and saw nothing of it.
#[tokio::test]
async fn a_vault_that_was_disabled_and_enabled_brings_back_nothing_that_was_held_before() {
    let (service, vault_id) = Service::with_vault(300).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    disable(&service, &vault_id).await;
    enable(&service, &vault_id).await.unwrap();
    let calls = service.decrypt_calls();
    environment.open("item", &sealed).await.unwrap();
    assert_eq!(service.decrypt_calls(), calls + 1);
}

/// The customer asks when access will have ended. The answer must hold whatever was changed while it was worked out.
#[tokio::test(start_paused = true)]
async fn the_end_of_access_is_stated_for_the_bound_in_force_when_the_refusal_was_heard() {
    let (service, vault_id) = Service::with_vault(5).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    service.customer.set_latency(Duration::from_secs(2));
    let validate_vault = service.validate_vault();
    let context = request();
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        update(&service, &vault_id, &to_bound(300)).await.unwrap();
        service.customer.set_latency(Duration::ZERO);
        environment.open("item", &sealed).await.unwrap();
        service.customer.change_key(|key| key.state = KeyState::Disabled);
    };
    let caller = admin();
    let (validated, ()) = join(validate_vault.run(&context, &caller, &vault_id), meanwhile).await;
    validated.unwrap();
    let vault = service.records.vault(&workspace(), &vault_id).await.unwrap().unwrap();
    let stated = vault.health.access_ends_by.expect("both Regions have refused");
    service.clock.advance(Duration::from_secs(299));
    assert!(
        environment.open("item", &sealed).await.is_ok(),
        "it is held for the new bound"
    );
    assert!(service.clock.now().wall <= stated);
}

#[tokio::test]
async fn at_a_bound_of_0_nothing_that_is_held_is_used() {
    let (service, vault_id) = Service::with_vault(300).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    update(&service, &vault_id, &to_bound(0)).await.unwrap();
    let calls = service.decrypt_calls();
    environment.open("item", &sealed).await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    assert_eq!(service.decrypt_calls(), calls + 2);
}

#[tokio::test]
async fn a_name_that_was_given_up_is_free_and_other_spellings_are_the_same_name() {
    let (service, first) = Service::with_vault(30).await;
    let renamed = update(&service, &first, &to_name("New")).await.unwrap();
    assert_eq!((renamed.vault.name.as_str(), renamed.vault.version), ("New", 2));
    let (second, _) = service.create(command("Acme")).await.unwrap();
    assert_ne!(second.vault.vault_id, first);
    assert!(matches!(
        update(&service, &first, &to_name("ACME")).await,
        Err(Error::VaultNameTaken)
    ));
    let respelled = update(&service, &first, &to_name("NEW")).await.unwrap();
    assert_eq!((respelled.vault.name.as_str(), respelled.vault.version), ("NEW", 3));
    let again = update(&service, &first, &to_name("NEW")).await.unwrap();
    assert_eq!(again.vault.version, 3, "doing it again changes nothing");
}

/// A rename that died after its claim does not block the name.
#[tokio::test(start_paused = true)]
async fn a_claim_that_died_is_taken_over_and_cannot_come_true_any_more() {
    let (service, first) = Service::with_vault(30).await;
    service.records.order_write_fault(1, WriteFault::CrashesAfter);
    let died = timeout(Duration::from_secs(1), update(&service, &first, &to_name("New"))).await;
    assert!(died.is_err());
    let (second, _) = service.create(command("New")).await.unwrap();
    assert_ne!(second.vault.vault_id, first);
    assert!(matches!(
        update(&service, &first, &to_name("New")).await,
        Err(Error::VaultNameTaken)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_name_whose_creation_died_is_kept_for_it() {
    let (service, first) = Service::with_vault(30).await;
    service.records.order_write_fault(1, WriteFault::CrashesAfter);
    let died = timeout(Duration::from_secs(1), service.create(command("New"))).await;
    assert!(died.is_err());
    assert!(matches!(
        update(&service, &first, &to_name("New")).await,
        Err(Error::VaultNameTaken)
    ));
    service.create(command("New")).await.unwrap();
}

/// A disabling that died has left the default behind.
#[tokio::test(start_paused = true)]
async fn a_default_that_takes_no_items_is_none_and_does_not_come_back() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.records.order_write_fault(2, WriteFault::CrashesBefore);
    let died = timeout(Duration::from_secs(1), disable(&service, &vault_id)).await;
    assert!(died.is_err());
    let default = service.records.default_vault_id(&workspace()).await;
    assert_eq!(default, Ok(Some(vault_id.clone())), "it is left behind");
    let environment = service.environment();
    assert!(matches!(environment.seal("item").await, Err(Error::NoDefaultVault)));
    let read = service.list_vaults().read(&request(), &admin(), &vault_id).await;
    assert!(!read.unwrap().is_default);
    let enabled = enable(&service, &vault_id).await.unwrap();
    assert_eq!((enabled.vault.status, enabled.is_default), (VaultStatus::Active, false));
    assert!(matches!(environment.seal("item").await, Err(Error::NoDefaultVault)));
}

#[tokio::test]
async fn a_default_that_points_at_no_vault_is_none() {
    let service = Service::new();
    service
        .records
        .set_default(&workspace(), &VaultId::generate())
        .await
        .unwrap();
    let sealed = service.environment().seal("item").await;
    assert!(matches!(sealed, Err(Error::NoDefaultVault)));
}

/// The vault is disabled, enabled and disabled again while the first enabling still validates it. The last request
/// wins.
#[tokio::test(start_paused = true)]
async fn an_enabling_undoes_no_later_disabling() {
    let (service, vault_id) = Service::with_vault(30).await;
    disable(&service, &vault_id).await;
    service.customer.set_latency(Duration::from_secs(1));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (ws, id) = (workspace(), &vault_id);
        for (from, to) in [
            (VaultStatus::Disabled, VaultStatus::Active),
            (VaultStatus::Active, VaultStatus::Disabled),
        ] {
            let now = "2026-11-23T10:00:01Z".parse().unwrap();
            let changed = service.records.change_status(&ws, id, &[from], to, None, now).await;
            assert!(changed.unwrap().is_some());
        }
    };
    let (enabled, ()) = join(enable(&service, &vault_id), meanwhile).await;
    assert!(matches!(&enabled, Err(error @ Error::VaultChanged) if error.retryable()));
    assert_eq!(service.records.vaults(&workspace())[0].status, VaultStatus::Disabled);
    assert_eq!(
        enable(&service, &vault_id).await.unwrap().vault.status,
        VaultStatus::Active
    );
}

#[tokio::test]
async fn a_failed_enabling_changes_nothing_and_an_active_vault_is_found_unusable_by_it() {
    for was_active in [false, true] {
        let (service, vault_id) = Service::with_vault(30).await;
        if !was_active {
            disable(&service, &vault_id).await;
        }
        let before = service.records.vaults(&workspace()).remove(0);
        service.customer.change_key(|key| key.state = KeyState::Disabled);
        let failed = enable(&service, &vault_id).await;
        assert!(matches!(failed, Err(Error::ValidationFailed(_))));
        let after = service.records.vaults(&workspace()).remove(0);
        assert_eq!((after.status, after.version), (before.status, before.version));
        assert_eq!(after.health != before.health, was_active);
        service.customer.change_key(|key| key.state = KeyState::Enabled);
        let enabled = enable(&service, &vault_id).await.unwrap().vault;
        assert_eq!(enabled.version, before.version + u64::from(!was_active));
        assert_eq!(service.records.vaults(&workspace())[0].health.findings, []);
    }
}

#[tokio::test]
async fn what_is_sealed_opens_again_after_disabling_and_enabling() {
    let (service, vault_id) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    disable(&service, &vault_id).await;
    assert!(environment.open("item", &sealed).await.is_err());
    enable(&service, &vault_id).await.unwrap();
    environment.open("item", &sealed).await.unwrap();
}
