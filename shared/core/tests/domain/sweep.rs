//! The sweep: what is due is checked, lightly or wholly, and what was found is on record.

use std::time::Duration;

use latchkey_core::access::{AccessError, Outage};
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::health::{Finding, HealthState};
use latchkey_core::in_memory::{InMemoryCustomer, KeyState, RegionOutage, WriteFault};
use latchkey_core::operations::Swept;
use latchkey_core::ports::{DueVault, DueVaults, StoreError};
use latchkey_core::region::Region;
use latchkey_core::validation::Check;
use latchkey_core::vault::Vault;

use crate::fixtures::{OTHER_KEY_PAIR, Service, command, request, workspace};

const MINUTE: Duration = Duration::from_secs(60);

/// What a sweep says of its checks.
async fn sweep(service: &Service) -> Swept {
    checks_of(service.sweep().await)
}

fn checks_of(swept: Swept) -> Swept {
    Swept {
        checked: swept.checked,
        validated: swept.validated,
        changed: swept.changed,
        failed: swept.failed,
        left: swept.left,
        ..Swept::default()
    }
}

fn on_record(service: &Service) -> Vault {
    service.records.vaults(&workspace()).remove(0)
}

/// What a sweep of one vault answers.
fn one(whole: bool, changed: bool) -> Swept {
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

/// The promise: whatever ends or endangers access is found by the next check, a minute later at most.
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

/// A warning that is known is not looked into each minute; the beginning and the end of one are.
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
        // Another warning of the same check, in another Region, is another warning.
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

/// What the light check does not look at, or was not told, is no end of a known warning.
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

/// Side by side, within the time of one check, whatever hangs; and what is wrong is not kept waiting for what hangs.
#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_hides_nothing_of_the_other() {
    for (hangs, answers) in [(Region::UsEast2, Region::UsWest2), (Region::UsWest2, Region::UsEast2)] {
        let (service, _) = Service::with_vault(30).await;
        service.customer.set_outage(hangs, Some(RegionOutage::Hangs));
        let start = tokio::time::Instant::now();
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, false));
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        service.customer.change_key_in(answers, |key| {
            key.allowed.remove("kms:Decrypt");
        });
        let start = tokio::time::Instant::now();
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true));
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        let findings = on_record(&service).health.findings;
        assert!(
            findings
                .iter()
                .any(|finding| finding.check == Check::DecryptAllowed && !finding.unanswered)
        );
    }
}

/// What only the whole validation looks at is found by it, or at once where live traffic meets a refusal.
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

/// STS throttles our account for all of our customers together.
#[tokio::test]
async fn knocks_that_are_throttled_say_nothing_of_the_vault() {
    let (service, _) = Service::with_vault(30).await;
    for region in Region::ALL {
        let throttled = AccessError::Outage(Outage::Throttled);
        service.customer.answer_with(region, "sts:AssumeRole", throttled);
    }
    for _ in 0..5 {
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, false));
    }
    let health = on_record(&service).health;
    assert_eq!((health.state, health.unanswered_in_a_row), (HealthState::Healthy, 0));
}

#[tokio::test]
async fn three_unanswered_checks_make_it_unknown_and_one_validation_known_again() {
    let (service, _) = Service::with_vault(30).await;
    let outage = RegionOutage::Fails(Outage::Unreachable);
    service.outage_everywhere(Some(outage));
    for (row, state) in [
        (1, HealthState::Healthy),
        (2, HealthState::Healthy),
        (3, HealthState::Unknown),
    ] {
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, row == 3));
        let health = on_record(&service).health;
        assert_eq!((health.state, health.unanswered_in_a_row), (state, row));
    }
    service.outage_everywhere(None);
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(true, true));
    assert_eq!(on_record(&service).health.state, HealthState::Healthy);
}

/// What is gone is one Region: everything opens through the other, new items are sealed there, and so it is not unknown.
#[tokio::test]
async fn a_region_that_is_gone_for_three_checks_makes_it_degraded_until_it_is_back() {
    for gone in Region::ALL {
        let (service, _) = Service::with_vault(0).await;
        let sealed = service.environment().seal("item").await.unwrap();
        let outage = Some(RegionOutage::Fails(Outage::Unreachable));
        service.customer.set_outage(gone, outage);
        for (row, state) in [
            (1, HealthState::Healthy),
            (2, HealthState::Healthy),
            (3, HealthState::Degraded),
            (4, HealthState::Degraded),
        ] {
            service.clock.advance(MINUTE);
            assert_eq!(sweep(&service).await, one(false, row == 3));
            let health = on_record(&service).health;
            assert_eq!((health.state, health.unanswered_in_a_row), (state, row));
        }
        let findings = on_record(&service).health.findings;
        assert!(
            findings
                .iter()
                .all(|found| found.unanswered && found.region == Some(gone))
        );
        let environment = service.environment_in(gone.other());
        assert!(environment.open("item", &sealed).await.is_ok());
        assert!(environment.seal("new").await.is_ok());
        service.outage_everywhere(outage);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, true));
        assert_eq!(on_record(&service).health.state, HealthState::Unknown);
        service.customer.set_outage(gone.other(), None);
        service.clock.advance(MINUTE);
        sweep(&service).await;
        assert_eq!(on_record(&service).health.state, HealthState::Degraded);
        service.outage_everywhere(None);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true));
        let health = on_record(&service).health;
        assert_eq!((health.state, health.findings), (HealthState::Healthy, Vec::new()));
    }
}

/// The claim is the vault's own due time, moved: whoever saw another one has lost.
#[tokio::test]
async fn a_claim_is_had_by_one_and_expires() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.clock.advance(MINUTE);
    let due = DueVault {
        workspace_id: workspace(),
        vault_id,
        due_at: on_record(&service).due.at,
    };
    let until = due.due_at + MINUTE;
    assert!(service.records.claim(&due, until).await.unwrap().is_some());
    assert!(service.records.claim(&due, until).await.unwrap().is_none());
    // Whoever claimed it has died.
    assert_eq!(sweep(&service).await, Swept::default());
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
}

/// A sweeper that dies between any two writes: the vault is checked when the claim has expired.
#[tokio::test(start_paused = true)]
async fn a_sweeper_that_dies_loses_nothing() {
    for (nth, fault) in [
        (1, WriteFault::CrashesBefore),
        (1, WriteFault::CrashesAfter),
        (2, WriteFault::CrashesBefore),
        (2, WriteFault::CrashesAfter),
    ] {
        let (service, _) = Service::with_vault(30).await;
        service.customer.change_key(|key| key.state = KeyState::Disabled);
        service.clock.advance(MINUTE);
        service.records.order_write_fault(nth, fault);
        let dies = tokio::time::timeout(Duration::from_secs(1), sweep(&service)).await;
        assert!(dies.is_err(), "{nth} {fault:?}");
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await.checked, 1, "{nth} {fault:?}");
        assert_eq!(on_record(&service).health.state, HealthState::Unusable);
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_counted_and_due_again() {
    let (service, _) = Service::with_vault(30).await;
    service.clock.advance(MINUTE);
    service.records.order_write_fault(2, WriteFault::FailsBefore);
    let swept = sweep(&service).await;
    assert_eq!((swept.checked, swept.failed), (0, 1));
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
    service.records.fail_reads(Some(StoreError::Unavailable));
    let all = DuePartition::of_shard(0, 1);
    assert!(service.sweep_vaults().run(&request(), &all, &|_| Ok(())).await.is_err());
}

/// A vault is in the index by the very write that makes it: there is no moment at which it is on record and never due.
#[tokio::test(start_paused = true)]
async fn a_vault_whose_creation_died_half_way_is_due_as_soon_as_it_is_on_record() {
    for nth in 1..=3 {
        for fault in [WriteFault::CrashesBefore, WriteFault::CrashesAfter] {
            let service = Service::new();
            service.records.order_write_fault(nth, fault);
            let dies = tokio::time::timeout(Duration::from_secs(5), service.create(command("Acme"))).await;
            assert!(dies.is_err(), "{nth} {fault:?}");
            service.clock.advance(MINUTE);
            let vaults = service.records.vaults(&workspace()).len();
            assert_eq!(sweep(&service).await.checked as usize, vaults, "{nth} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_vault_is_swept_by_its_own_shard_alone() {
    let (service, vault_id) = Service::with_vault(30).await;
    service.clock.advance(MINUTE);
    let (own, others): (Vec<_>, Vec<_>) = DuePartition::of_shard(0, 1)
        .into_iter()
        .partition(|partition| *partition == DuePartition::of(&vault_id));
    let operation = service.sweep_vaults();
    assert_eq!(
        checks_of(operation.run(&request(), &others, &|_| Ok(())).await.unwrap()),
        Swept::default()
    );
    assert_eq!(
        checks_of(operation.run(&request(), &own, &|_| Ok(())).await.unwrap()),
        one(false, false)
    );
    assert_ne!(on_record(&service).due, Due::at_once(on_record(&service).created_at));
}

/// Whatever made it due: a light check could not clear it, and would leave nothing on record.
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
