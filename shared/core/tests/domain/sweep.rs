//! The sweep: it checks what is due, lightly or wholly, and puts on record what it finds.

use std::time::Duration;

use latchkey_core::customer::{AccessError, Outage};
use latchkey_core::findings::{Check, Finding};
use latchkey_core::health::HealthState;
use latchkey_core::operations::Swept;
use latchkey_core::ports::{DueVault, DueVaults};
use latchkey_core::values::Region;
use latchkey_core::vault::Vault;
use latchkey_in_memory::{InMemoryCustomer, KeyState};

use crate::fixtures::{OTHER_KEY_PAIR, Service, command, workspace};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// What a sweep answers, without its announcements.
pub(crate) async fn sweep(service: &Service) -> Swept {
    checks_of(service.sweep().await)
}

pub(crate) fn checks_of(swept: Swept) -> Swept {
    Swept {
        checked: swept.checked,
        validated: swept.validated,
        changed: swept.changed,
        failed: swept.failed,
        left: swept.left,
        ..Swept::default()
    }
}

pub(crate) fn on_record(service: &Service) -> Vault {
    service.records.vaults(&workspace()).remove(0)
}

/// What a sweep of one vault answers.
pub(crate) fn one(whole: bool, changed: bool) -> Swept {
    Swept {
        checked: 1,
        validated: u32::from(whole),
        changed: u32::from(changed),
        ..Swept::default()
    }
}

#[tokio::test]
async fn a_vault_is_checked_each_minute_and_validated_each_hour() {
    let (service, _) = Service::with_vault(30).await;
    service.clock.advance(MINUTE - Duration::from_nanos(1));
    assert_eq!(sweep(&service).await, Swept::default(), "not due yet");
    service.clock.advance(Duration::from_nanos(1));
    for minute in 1..=120 {
        let calls = service.customer.calls();
        let whole = minute % 60 == 0;
        assert_eq!(sweep(&service).await, one(whole, false), "minute {minute}");
        let calls = service.customer.calls() - calls;
        assert_eq!(calls, if whole { 12 } else { 8 }, "minute {minute}");
        let vault = on_record(&service);
        assert_eq!(vault.health.checked_at, vault.created_at + MINUTE * minute);
        assert_eq!(vault.due.at, vault.health.checked_at + MINUTE);
        assert_eq!(sweep(&service).await, Swept::default(), "once is enough");
        service.clock.advance(MINUTE);
    }
    assert_eq!(on_record(&service).health.since, on_record(&service).created_at);
}

#[tokio::test]
async fn failure_and_recovery_are_noticed_by_the_next_check_and_explained() {
    for region in Region::ALL {
        let (service, _) = Service::with_vault(30).await;
        let change = |state| service.customer.change_key_in(region, |key| key.state = state);
        change(KeyState::Disabled);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true));
        let health = on_record(&service).health;
        assert_eq!(health.state, HealthState::Unusable);
        assert!(health.findings.iter().all(|finding| finding.region == Some(region)));
        assert!(service.environment().seal("item").await.is_err());
        service.clock.advance(MINUTE);
        assert_eq!(
            sweep(&service).await,
            one(true, false),
            "validated each minute until it is mended"
        );
        change(KeyState::Enabled);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true));
        assert_eq!(on_record(&service).health.state, HealthState::Healthy);
        assert!(service.environment().seal("item").await.is_ok());
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, false));
    }
}

type Change = fn(&InMemoryCustomer);

/// The promise: the next check, at most a minute later, finds whatever ends or endangers access.
#[tokio::test]
async fn whatever_ends_or_endangers_access_is_found_within_a_minute() {
    let changes: [(&str, Check, Change); 12] = [
        ("disabled", Check::KeyEnabled, |c| {
            c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Disabled);
        }),
        ("to be deleted", Check::KeyNotPendingDeletion, |c| {
            c.change_key_in(Region::UsWest2, |key| key.state = KeyState::PendingReplicaDeletion);
        }),
        ("gone", Check::KeyFound, |c| {
            c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Missing);
        }),
        ("turned single-Region", Check::KeyMultiRegion, |c| {
            c.change_key_in(Region::UsWest2, |key| key.multi_region_key_type = None);
        }),
        ("changed in its kind", Check::KeyUsageEncryptDecrypt, |c| {
            c.change_key_in(Region::UsWest2, |key| key.key_usage = "SIGN_VERIFY".to_owned());
        }),
        ("DescribeKey denied", Check::KeyFound, |c| {
            c.change_key_in(Region::UsWest2, |key| key.allowed.retain(|it| *it != "kms:DescribeKey"));
        }),
        ("Decrypt denied", Check::DecryptAllowed, |c| {
            c.change_key_in(Region::UsWest2, |key| key.allowed.retain(|it| *it != "kms:Decrypt"));
        }),
        ("replaced", Check::PublicKeyUnchanged, |c| {
            c.change_key_in(Region::UsWest2, |key| key.key_pair = OTHER_KEY_PAIR.clone());
        }),
        ("not let in", Check::RoleAssumable, |c| {
            c.change_role(|role| role.lets_us_in = false);
        }),
        ("no external id needed", Check::RoleRejectsMissingExternalId, |c| {
            c.change_role(|role| role.takes_missing_external_id = true);
        }),
        ("any external id taken", Check::RoleRejectsWrongExternalId, |c| {
            c.change_role(|role| role.takes_wrong_external_id = true);
        }),
        ("whole account trusted", Check::RoleTrustsOnlyServiceRole, |c| {
            c.change_role(|role| role.trusts_root = true);
        }),
    ];
    for (name, check, change) in changes {
        let (service, _) = Service::with_vault(30).await;
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, false), "{name}");
        change(&service.customer);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true), "{name}");
        let health = on_record(&service).health;
        let found = |finding: &Finding| finding.check == check;
        assert!(health.findings.iter().any(found), "{name}: {health:?}");
    }
}

/// A known warning does not lead to a whole validation each minute. Its start and its end do.
#[tokio::test]
async fn a_known_warning_is_validated_when_it_begins_and_when_it_ends() {
    let warnings: [(Change, Change); 2] = [
        (
            |c| c.change_role(|role| role.trusts_root = true),
            |c| c.change_role(|role| role.trusts_root = false),
        ),
        (
            |c| c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Updating),
            |c| c.change_key_in(Region::UsWest2, |key| key.state = KeyState::Enabled),
        ),
    ];
    for (begin, end) in warnings {
        let (service, _) = Service::with_vault(30).await;
        let next_minute = async || {
            service.clock.advance(MINUTE);
            sweep(&service).await
        };
        begin(&service.customer);
        assert_eq!(next_minute().await, one(true, true));
        assert_eq!(on_record(&service).health.state, HealthState::Degraded);
        assert_eq!(next_minute().await, one(false, false), "it is known");
        // The same check's warning in the other Region is another warning.
        let change_east = |state| service.customer.change_key_in(Region::UsEast2, |key| key.state = state);
        change_east(KeyState::Updating);
        assert_eq!(next_minute().await, one(true, false));
        assert_eq!(on_record(&service).health.findings.len(), 2);
        assert_eq!(next_minute().await, one(false, false), "they are known");
        change_east(KeyState::Enabled);
        assert_eq!(next_minute().await, one(true, false));
        end(&service.customer);
        assert_eq!(next_minute().await, one(true, true));
        assert_eq!(on_record(&service).health.state, HealthState::Healthy);
    }
}

/// A light check that does not look at a warning, or gets no answer about it, does not end it.
#[tokio::test]
async fn a_warning_that_was_not_looked_at_stands() {
    let service = Service::new();
    service.customer.change_key(|key| key.key_spec = "RSA_2048".to_owned());
    service.customer.change_role(|role| role.trusts_root = true);
    service.create(command("Acme")).await.unwrap();
    let known = on_record(&service).health.findings;
    assert_eq!(known.len(), 2);
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
    for region in Region::ALL {
        service
            .customer
            .answer_with(region, "sts:AssumeRole", AccessError::Outage(Outage::Throttled));
    }
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
    let health = on_record(&service).health;
    assert_eq!((health.state, health.unanswered_in_a_row), (HealthState::Degraded, 0));
    assert_eq!(health.findings, known);
}

/// What only the whole validation checks is found by it, or at once when live traffic meets a refusal.
#[tokio::test]
async fn a_refusal_of_live_traffic_has_the_vault_validated_at_once() {
    let (service, _) = Service::with_vault(0).await;
    let sealed = service.environment().seal("item").await.unwrap();
    service.customer.change_key(|key| {
        key.allowed.remove("kms:Decrypt");
    });
    service.clock.advance(Duration::from_secs(1));
    assert!(service.environment().open("item", &sealed).await.is_err());
    assert_eq!(on_record(&service).health.findings.len(), 1);
    assert_eq!(sweep(&service).await, one(true, false));
    let health = on_record(&service).health;
    assert_eq!((health.state, health.findings.len()), (HealthState::Unusable, 2));
    assert_eq!(health.access_ends_by, Some(health.checked_at));
}

/// This holds whatever made the vault due. A light check could not clear it, and would put nothing on record.
#[tokio::test]
async fn an_unusable_vault_is_validated_whenever_it_is_checked() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(true, true));
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    service.clock.advance(Duration::from_secs(10));
    let due = DueVault {
        workspace_id: workspace(),
        vault_id,
        due_at: on_record(&service).due.at,
    };
    let now = on_record(&service).health.checked_at + Duration::from_secs(10);
    service.records.claim(&due, now).await.unwrap().unwrap();
    assert_eq!(sweep(&service).await, one(true, true));
}
