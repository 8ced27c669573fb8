//! validate-vault: it answers with the report, and puts the vault's health on record.

use std::time::Duration;

use latchkey_core::Error;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::customer::Outage;
use latchkey_core::findings::{Check, Finding, Report, Verdict};
use latchkey_core::health::{Health, HealthState};
use latchkey_core::values::{Region, VaultId};
use latchkey_in_memory::{InMemoryCustomer, KeyState, RegionOutage};

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
    service.outage_everywhere(Some(down));
    assert_eq!(validate(&service, &vault_id).await.1.state, HealthState::Degraded);
    assert_eq!(validate(&service, &vault_id).await.1.state, HealthState::Degraded);
    assert_eq!(validate(&service, &vault_id).await.1.state, HealthState::Unknown);
    service.customer.set_outage(Region::UsEast2, None);
    assert_eq!(validate(&service, &vault_id).await.1.state, HealthState::Degraded);

    service.clock.advance(Duration::from_secs(60));
    service
        .customer
        .change_key_in(Region::UsEast2, |key| key.state = KeyState::Disabled);
    let (report, unusable) = validate(&service, &vault_id).await;
    assert_eq!((report.verdict, unusable.state), (Verdict::Fail, HealthState::Unusable));
    assert_eq!(unusable.since, unusable.checked_at);
    let undated = |found: &Finding| Finding {
        since: None,
        ..found.clone()
    };
    assert_eq!(
        unusable.findings.iter().map(undated).collect::<Vec<_>>(),
        report.findings()
    );
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
    assert_eq!(
        found,
        [Check::DecryptAllowed, Check::DecryptAllowed, Check::PublicKeyUnchanged]
    );
    assert!(health.access_ends_by.is_some(), "what was sealed before opens nowhere");
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

/// Two Regions validate at the same time, and one of them is slow. The result of the one that asked last is newer.
#[tokio::test(start_paused = true)]
async fn a_late_result_does_not_overwrite_a_newer_one() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.customer.set_latency(Duration::from_secs(5));
    let slow = validate(&service, &vault_id);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        service.clock.advance(Duration::from_secs(1));
        service.customer.set_latency(Duration::ZERO);
        service.customer.change_key(|key| key.state = KeyState::Disabled);
        let found = validate(&service, &vault_id).await;
        service.customer.change_key(|key| key.state = KeyState::Enabled);
        found
    };
    let ((slow_report, _), (fast_report, fast)) = futures::future::join(slow, meanwhile).await;
    assert_eq!(
        (slow_report.verdict, fast_report.verdict),
        (Verdict::Pass, Verdict::Fail)
    );
    let last = &service.records.vaults(&workspace())[0].health;
    assert_eq!((last, last.state), (&fast, HealthState::Unusable));
}

/// Validations that race for the record still count every outage once.
#[tokio::test]
async fn validations_that_race_lose_nothing() {
    let (service, vault_id) = Service::with_vault(30).await;
    let before = service.records.vaults(&workspace())[0].health.revision;
    service.outage_everywhere(Some(RegionOutage::Fails(Outage::ServerError)));
    futures::future::join_all((0..16).map(|_| validate(&service, &vault_id))).await;
    let health = service.records.vaults(&workspace())[0].health.clone();
    assert_eq!(health.revision, before + 16);
    assert_eq!((health.state, health.unanswered_in_a_row), (HealthState::Unknown, 16));
}

type Change = fn(&InMemoryCustomer);

/// The time by which access has ended is a promise, so it is stated only when it is known to hold.
#[tokio::test]
async fn the_end_of_access_is_stated_once_no_region_opens_data_keys() {
    const BOUND: u64 = 30;
    let cases: [(&str, Change, Option<u64>); 9] = [
        (
            "disabled",
            |c| c.change_key(|key| key.state = KeyState::Disabled),
            Some(BOUND),
        ),
        (
            "gone",
            |c| c.change_key(|key| key.state = KeyState::Missing),
            Some(BOUND),
        ),
        (
            "decrypt denied",
            |c| {
                c.change_key(|key| {
                    key.allowed.remove("kms:Decrypt");
                })
            },
            Some(BOUND),
        ),
        (
            "no longer let in",
            |c| c.change_role(|role| role.lets_us_in = false),
            Some(900 + BOUND),
        ),
        (
            "one Region only",
            |c| c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Disabled),
            None,
        ),
        (
            "encrypt denied",
            |c| {
                c.change_key(|key| {
                    key.allowed.remove("kms:Encrypt");
                })
            },
            None,
        ),
        ("all denied", |c| c.change_key(|key| key.allowed.clear()), Some(BOUND)),
        (
            "all but decrypt denied",
            |c| c.change_key(|key| key.allowed.retain(|action| *action == "kms:Decrypt")),
            None,
        ),
        (
            "open to others",
            |c| c.change_role(|role| role.takes_missing_external_id = true),
            None,
        ),
    ];
    for (name, change, ends_after) in cases {
        let (service, vault_id) = Service::with_vault(BOUND).await;
        change(&service.customer);
        let (_, health) = validate(&service, &vault_id).await;
        assert_eq!(health.state, HealthState::Unusable, "{name}");
        let stated = ends_after.map(|seconds| health.checked_at + Duration::from_secs(seconds));
        assert_eq!(health.access_ends_by, stated, "{name}");
        service.clock.advance(Duration::from_secs(60));
        assert_eq!(
            validate(&service, &vault_id).await.1.access_ends_by,
            stated,
            "{name}: kept"
        );
    }
}

#[tokio::test]
async fn access_that_is_given_back_has_no_end() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    assert!(validate(&service, &vault_id).await.1.access_ends_by.is_some());
    service
        .customer
        .change_key_in(Region::UsEast2, |key| key.state = KeyState::Enabled);
    let (_, health) = validate(&service, &vault_id).await;
    assert_eq!((health.state, health.access_ends_by), (HealthState::Unusable, None));
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    let (_, health) = validate(&service, &vault_id).await;
    assert_eq!((health.state, health.access_ends_by), (HealthState::Healthy, None));
}
