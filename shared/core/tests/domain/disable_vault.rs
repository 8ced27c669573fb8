//! disable-vault: what it stops, what it leaves, and what it refuses.

use std::time::Duration;

use latchkey_core::Error;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::operations::{DisableMode, VaultView};
use latchkey_core::ports::VaultStore;
use latchkey_core::values::VaultId;
use latchkey_core::vault::VaultStatus;
use latchkey_in_memory::WriteFault;
use tokio::time::timeout;

use crate::fixtures::{Service, admin, caller, command, member, request, workspace};

async fn disable(service: &Service, vault_id: &VaultId, mode: DisableMode) -> Result<VaultView, Error> {
    service.disable_vault().run(&request(), &admin(), vault_id, mode).await
}

#[tokio::test]
async fn it_holds_in_every_environment_at_once_cached_or_not() {
    use latchkey_core::values::Region::{UsEast2, UsWest2};
    let (service, vault_id) = Service::with_vault(300).await;
    let environments = [UsEast2, UsWest2].map(|home| service.environment_in(home));
    let sealed = environments[0].seal("item").await.unwrap();
    for environment in &environments {
        environment.open("item", &sealed).await.unwrap();
    }
    let view = disable(&service, &vault_id, DisableMode::Disabled).await.unwrap();
    assert_eq!((view.vault.status, view.is_default), (VaultStatus::Disabled, false));
    let calls = service.customer.calls();
    for environment in &environments {
        let opened = environment.open("item", &sealed).await;
        let status = VaultStatus::Disabled;
        assert!(matches!(opened, Err(Error::WrongVaultStatus { status: found }) if found == status));
    }
    assert_eq!(service.customer.calls(), calls);
}

#[tokio::test]
async fn decrypt_only_takes_nothing_new_and_opens_the_old() {
    let (service, vault_id) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    let view = disable(&service, &vault_id, DisableMode::DecryptOnly).await.unwrap();
    assert_eq!((view.vault.status, view.is_default), (VaultStatus::DecryptOnly, false));
    assert!(environment.open("item", &sealed).await.is_ok());
    let refused = environment.seal_all(Some(&vault_id), &["item"]).await;
    assert!(matches!(
        refused,
        Err(Error::WrongVaultStatus {
            status: VaultStatus::DecryptOnly
        })
    ));
    assert!(matches!(environment.seal("item").await, Err(Error::NoDefaultVault)));
}

#[tokio::test]
async fn a_disabled_vault_does_not_come_back_by_being_disabled_less() {
    let (service, vault_id) = Service::with_vault(30).await;
    disable(&service, &vault_id, DisableMode::DecryptOnly).await.unwrap();
    disable(&service, &vault_id, DisableMode::Disabled).await.unwrap();
    let refused = disable(&service, &vault_id, DisableMode::DecryptOnly).await;
    assert!(matches!(
        refused,
        Err(Error::WrongVaultStatus {
            status: VaultStatus::Disabled
        })
    ));
    assert_eq!(service.records.vaults(&workspace())[0].status, VaultStatus::Disabled);
}

#[tokio::test]
async fn doing_it_again_changes_nothing() {
    for mode in [DisableMode::Disabled, DisableMode::DecryptOnly] {
        let (service, vault_id) = Service::with_vault(30).await;
        service.clock.advance(Duration::from_secs(60));
        let first = disable(&service, &vault_id, mode).await.unwrap().vault;
        assert!(first.updated_at > first.created_at);
        service.clock.advance(Duration::from_secs(60));
        let again = disable(&service, &vault_id, mode).await.unwrap().vault;
        assert_eq!((again.status, again.updated_at), (first.status, first.updated_at));
    }
}

#[tokio::test]
async fn another_vaults_default_stays() {
    let (service, first) = Service::with_vault(30).await;
    let (second, _) = service.create(command("Second")).await.unwrap();
    disable(&service, &first, DisableMode::Disabled).await.unwrap();
    let default = service.records.default_vault_id(&workspace()).await;
    assert_eq!(default, Ok(Some(second.vault.vault_id)));
}

#[tokio::test]
async fn a_disabled_vault_is_not_made_default_by_creating_it_again() {
    let (service, vault_id) = Service::with_vault(30).await;
    disable(&service, &vault_id, DisableMode::Disabled).await.unwrap();
    let (again, _) = service.create(command("Acme")).await.unwrap();
    assert_eq!(again.vault.vault_id, vault_id);
    assert!(!again.is_default);
    assert_eq!(again.vault.status, VaultStatus::Disabled);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_either_write_leaves_it_right_and_a_retry_completes_it() {
    for nth in [1, 2] {
        for fault in [
            WriteFault::FailsBefore,
            WriteFault::FailsAfter,
            WriteFault::CrashesBefore,
            WriteFault::CrashesAfter,
        ] {
            let (service, vault_id) = Service::with_vault(30).await;
            let environment = service.environment();
            let sealed = environment.seal("item").await.unwrap();
            service.records.order_write_fault(nth, fault);
            let died = timeout(
                Duration::from_secs(1),
                disable(&service, &vault_id, DisableMode::Disabled),
            )
            .await;
            assert!(died.is_err() || died.unwrap().is_err());
            let took_effect = nth == 2 || matches!(fault, WriteFault::FailsAfter | WriteFault::CrashesAfter);
            assert_eq!(environment.open("item", &sealed).await.is_err(), took_effect);
            let view = disable(&service, &vault_id, DisableMode::Disabled).await.unwrap();
            assert_eq!((view.vault.status, view.is_default), (VaultStatus::Disabled, false));
            assert_eq!(service.records.default_vault_id(&workspace()).await, Ok(None));
        }
    }
}

#[tokio::test]
async fn a_member_is_refused_before_anything_is_asked() {
    let (service, vault_id) = Service::with_vault(30).await;
    let calls = service.records.calls();
    let disabled = service
        .disable_vault()
        .run(&request(), &member(), &vault_id, DisableMode::Disabled)
        .await;
    assert!(matches!(disabled, Err(Error::Forbidden)));
    assert_eq!(service.records.calls(), calls);
}

#[tokio::test]
async fn a_foreign_vault_is_no_different_from_a_missing_one() {
    let (service, vault_id) = Service::with_vault(30).await;
    let stranger = caller("ws-stranger", WorkspaceRole::Owner);
    for vault_id in [vault_id, VaultId::generate()] {
        let answer = service
            .disable_vault()
            .run(&request(), &stranger, &vault_id, DisableMode::Disabled)
            .await;
        assert!(matches!(answer, Err(Error::VaultNotFound)));
    }
    assert_eq!(service.records.vaults(&workspace())[0].status, VaultStatus::Active);
}
