//! validate-vault: the report is the answer, and the vault's health is on record.

use std::time::Duration;

use latchkey_core::Error;
use latchkey_core::access::Outage;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::health::{Health, HealthState};
use latchkey_core::in_memory::{KeyState, RegionOutage};
use latchkey_core::region::Region;
use latchkey_core::validation::{Check, Report, Verdict};
use latchkey_core::vault::VaultId;

use crate::fixtures::{OTHER_KEY_PAIR, Service, admin, caller, member, request, workspace};

async fn validate(service: &Service, vault_id: &VaultId) -> (Report, Health) {
    let report = service
        .validate_vault()
        .run(&request(), &admin(), vault_id)
        .await
        .unwrap();
    (report, service.records.vaults(&workspace())[0].health.clone())
}

#[tokio::test]
async fn health_follows_what_was_found() {
    let (service, vault_id) = Service::with_vault(30).await;
    let created = service.records.vaults(&workspace())[0].clone();
    service.clock.advance(Duration::from_secs(60));
    let (report, healthy) = validate(&service, &vault_id).await;
    assert_eq!((report.verdict, healthy.state), (Verdict::Pass, HealthState::Healthy));
    assert!(healthy.findings.is_empty());
    assert_eq!(healthy.since, created.created_at);
    assert!(healthy.checked_at > healthy.since);

    service.customer.change_role(|role| role.trusts_root = true);
    assert_eq!(validate(&service, &vault_id).await.1.state, HealthState::Degraded);

    let down = RegionOutage::Fails(Outage::ServerError);
    service.customer.set_outage(Region::UsWest2, Some(down));
    assert_eq!(validate(&service, &vault_id).await.1.state, HealthState::Unknown);

    service.clock.advance(Duration::from_secs(60));
    service
        .customer
        .change_key_in(Region::UsEast2, |key| key.state = KeyState::Disabled);
    let (report, unusable) = validate(&service, &vault_id).await;
    assert_eq!((report.verdict, unusable.state), (Verdict::Fail, HealthState::Unusable));
    assert_eq!(unusable.since, unusable.checked_at);
    assert_eq!(unusable.findings, report.findings());
    assert!(
        unusable
            .findings
            .iter()
            .any(|finding| finding.check == Check::KeyEnabled)
    );
    let vault = &service.records.vaults(&workspace())[0];
    assert_eq!((vault.updated_at, vault.status), (created.updated_at, created.status));
}

#[tokio::test]
async fn a_replaced_key_is_noticed() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.customer.change_key(|key| key.key_pair = OTHER_KEY_PAIR.clone());
    let (report, health) = validate(&service, &vault_id).await;
    assert_eq!(health.state, HealthState::Unusable);
    let found: Vec<_> = report.findings().iter().map(|finding| finding.check).collect();
    assert_eq!(found, [Check::PublicKeyUnchanged]);
}

#[tokio::test]
async fn only_an_admin_of_the_workspace_validates() {
    let (service, vault_id) = Service::with_vault(30).await;
    let calls = (service.records.calls(), service.customer.calls());
    let answer = service.validate_vault().run(&request(), &member(), &vault_id).await;
    assert!(matches!(answer, Err(Error::Forbidden)));
    assert_eq!((service.records.calls(), service.customer.calls()), calls);
    let stranger = caller("ws-stranger", WorkspaceRole::Owner);
    let answer = service.validate_vault().run(&request(), &stranger, &vault_id).await;
    assert!(matches!(answer, Err(Error::VaultNotFound)));
    assert_eq!(service.customer.calls(), calls.1);
}

#[tokio::test]
async fn every_call_to_the_customer_is_noted_under_its_session() {
    let (service, vault_id) = Service::with_vault(30).await;
    let request = request();
    let calls = service.customer.calls();
    service
        .validate_vault()
        .run(&request, &admin(), &vault_id)
        .await
        .unwrap();
    let noted = request.key_uses();
    assert_eq!(noted.len(), service.customer.calls() - calls);
    let session = format!("{vault_id}-{}", request.request_id);
    assert!(noted.iter().all(|key_use| key_use.role_session_name == session));
}
