//! Vaults whose key the service owns (requirement W3): the same format and the same bounds, but our own role.

use std::time::Duration;

use latchkey_core::Error;
use latchkey_core::error::ItemFault;
use latchkey_core::findings::{Check, Verdict};
use latchkey_core::health::HealthState;
use latchkey_core::operations::CreateVaultCommand;
use latchkey_core::values::{Region, Strategy};
use latchkey_core::vault::VaultSettings;
use latchkey_in_memory::KeyState;

use crate::fixtures::{Service, admin, caller, item_to_open, member, request, settings, workspace};
use latchkey_core::caller::WorkspaceRole;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The managed key's role requires no external id. It trusts the access role, and serves all workspaces.
fn service() -> Service {
    let service = Service::new();
    service.customer.change_role(|role| {
        role.takes_missing_external_id = true;
        role.takes_wrong_external_id = true;
    });
    service
}

fn managed(name: &str) -> CreateVaultCommand {
    CreateVaultCommand {
        settings: VaultSettings {
            strategy: Strategy::Managed,
            ..settings(name, 0)
        },
        set_as_default: true,
    }
}

#[tokio::test]
async fn a_managed_vault_seals_and_opens_and_its_role_is_knocked_at_once() {
    let service = service();
    let (view, report) = service.create(managed("Managed")).await.unwrap();
    assert_eq!((view.vault.strategy, view.is_default), (Strategy::Managed, true));
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(
        service.customer.calls_of("sts:AssumeRole"),
        1,
        "nobody else is to be kept out"
    );
    for check in [
        Check::RoleRejectsMissingExternalId,
        Check::RoleRejectsWrongExternalId,
        Check::RoleTrustsOnlyServiceRole,
    ] {
        let outcome = report.checks.iter().find(|outcome| outcome.check == check).unwrap();
        assert_eq!(outcome.verdict, Verdict::Skipped);
    }
    let sealed = service.environment().seal("item").await.unwrap();
    for region in Region::ALL {
        assert!(service.environment_in(region).open("item", &sealed).await.is_ok());
    }
}

/// A customer's role that requires no external id is refused, whatever its name is.
#[tokio::test]
async fn what_is_skipped_for_our_own_role_is_not_skipped_for_a_customers() {
    let answer = service()
        .create(CreateVaultCommand {
            settings: settings("Own", 0),
            set_as_default: false,
        })
        .await;
    assert!(matches!(answer, Err(Error::ValidationFailed(_))));
}

#[tokio::test]
async fn workspaces_that_share_the_managed_key_do_not_share_items() {
    let service = service();
    service.create(managed("Managed")).await.unwrap();
    let other = caller("ws-other", WorkspaceRole::Admin);
    let created = service.create_vault().run(&request(), &other, managed("Managed")).await;
    assert!(created.is_ok());
    let sealed = service.environment().seal("item").await.unwrap();
    let calls = service.customer.calls();
    let stranger = caller("ws-other", WorkspaceRole::Member);
    let opened = service
        .environment()
        .open_as(&stranger, item_to_open("item", &sealed))
        .await;
    assert!(matches!(opened, Err(Error::VaultNotFound)));
    assert_eq!(service.customer.calls(), calls, "refused before any call");
    let wrong = service
        .environment()
        .open_as(&member(), item_to_open("another", &sealed))
        .await;
    assert!(matches!(wrong, Err(Error::ItemDoesNotOpen(ItemFault::WrongIdentity))));
}

/// We pay for each check of the managed key, and only we can take it away.
#[tokio::test]
async fn a_managed_vault_is_validated_each_hour_and_each_minute_once_something_is_wrong() {
    let service = service();
    service.create(managed("Managed")).await.unwrap();
    service.clock.advance(MINUTE);
    assert_eq!(service.sweep().await.checked, 0);
    service.clock.advance(HOUR - MINUTE);
    assert_eq!(service.sweep().await.validated, 1);
    service.clock.advance(HOUR - MINUTE);
    assert_eq!(service.sweep().await.checked, 0);
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.clock.advance(MINUTE);
    assert_eq!(service.sweep().await.changed, 1);
    assert_eq!(
        service.records.vaults(&workspace())[0].health.state,
        HealthState::Unusable
    );
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    service.clock.advance(MINUTE);
    assert_eq!(service.sweep().await.changed, 1);
    assert_eq!(
        service.records.vaults(&workspace())[0].health.state,
        HealthState::Healthy
    );
}

#[tokio::test]
async fn a_managed_keys_role_that_is_gone_is_our_operators_affair() {
    let service = service();
    let (view, _) = service.create(managed("Managed")).await.unwrap();
    service.customer.change_role(|role| role.lets_us_in = false);
    let report = service
        .validate_vault()
        .run(&request(), &admin(), &view.vault.vault_id)
        .await
        .unwrap();
    let found = &report.findings()[0];
    assert_eq!(found.check, Check::RoleAssumable);
    assert!(found.remedy.as_ref().unwrap().contains("operators of the service"));
}
