//! Announcements about a vault's health: each change once, whatever finds it, and a pending deletion once a day.

use std::time::Duration;

use futures::future::join;
use latchkey_core::customer::Outage;
use latchkey_core::findings::Check;
use latchkey_core::health::HealthState;
use latchkey_core::health::changes::HealthChange;
use latchkey_core::health::due::DuePartition;
use latchkey_core::ports::VaultStore;
use latchkey_core::values::Region;
use latchkey_core::vault::Vault;
use latchkey_core::vault::announcement::{Announcement, News};
use latchkey_in_memory::{KeyState, RegionOutage, WriteFault};

use crate::fixtures::{Service, admin, command, request, workspace};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn on_record(service: &Service) -> Vault {
    service.records.vaults(&workspace()).remove(0)
}

async fn sweep_a_minute_later(service: &Service) {
    service.clock.advance(MINUTE);
    service.sweep().await;
}

fn change(announcement: &Announcement) -> &HealthChange {
    match &announcement.news {
        News::HealthChanged(change) => change,
        News::DeletionPending(_) => panic!("a reminder"),
    }
}

/// The changes of state that were announced, as pairs of before and after.
fn told(service: &Service) -> Vec<(HealthState, HealthState)> {
    let events = service.event_bus.events();
    events
        .iter()
        .map(change)
        .map(|change| (change.previous_state, change.state))
        .collect()
}

const FAILURE: (HealthState, HealthState) = (HealthState::Healthy, HealthState::Unusable);
const RECOVERY: (HealthState, HealthState) = (HealthState::Unusable, HealthState::Healthy);

fn disable(service: &Service) {
    service.customer.change_key(|key| key.state = KeyState::Disabled);
}

fn enable(service: &Service) {
    service.customer.change_key(|key| key.state = KeyState::Enabled);
}

#[tokio::test]
async fn each_change_is_announced_once() {
    let (service, vault_id) = Service::with_vault(30).await;
    for _ in 0..3 {
        sweep_a_minute_later(&service).await;
    }
    assert_eq!(told(&service), [], "nothing has changed");
    disable(&service);
    for _ in 0..3 {
        sweep_a_minute_later(&service).await;
    }
    assert_eq!(told(&service), [FAILURE]);
    enable(&service);
    for _ in 0..3 {
        sweep_a_minute_later(&service).await;
    }
    assert_eq!(told(&service), [FAILURE, RECOVERY]);

    let events = service.event_bus.events();
    assert!(events.iter().all(|event| event.detail_type() == "Vault Health Changed"));
    let failure = &events[0];
    assert_eq!(failure.vault_id, vault_id.as_str());
    assert_eq!(failure.workspace_id, workspace().as_str());
    let found: Vec<_> = change(failure)
        .findings
        .iter()
        .map(|it| (it.check, it.region))
        .collect();
    assert_eq!(found, Region::ALL.map(|region| (Check::KeyEnabled, Some(region))));
    assert_eq!(change(failure).findings[0].since, Some(change(failure).changed_at));
    assert_ne!(events[0].event_id, events[1].event_id);
}

/// The creator of a vault sees its warnings in the answer, so they are no news.
#[tokio::test]
async fn what_a_vault_was_created_with_is_not_announced() {
    let service = Service::new();
    service.customer.change_role(|role| role.trusts_root = true);
    service.create(command("Acme")).await.unwrap();
    assert_eq!(on_record(&service).health.state, HealthState::Degraded);
    sweep_a_minute_later(&service).await;
    assert_eq!(told(&service), []);
}

#[tokio::test]
async fn two_regions_that_sweep_at_once_announce_a_change_once() {
    let (service, _) = Service::with_vault(30).await;
    disable(&service);
    service.clock.advance(MINUTE);
    let partitions = DuePartition::of_shard(0, 1);
    let (one, other) = (service.sweep_vaults(), service.sweep_vaults());
    let (request_of_one, request_of_other) = (request(), request());
    let (one, other) = join(
        one.run(&request_of_one, &partitions, &|_| Ok(())),
        other.run(&request_of_other, &partitions, &|_| Ok(())),
    )
    .await;
    assert_eq!(one.unwrap().announced + other.unwrap().announced, 1);
    assert_eq!(told(&service), [FAILURE]);
}

#[tokio::test]
async fn what_the_bus_does_not_take_is_announced_later_and_in_order() {
    let (service, _) = Service::with_vault(30).await;
    service.event_bus.set_refuses(true);
    disable(&service);
    service.clock.advance(MINUTE);
    assert_eq!(service.sweep().await.unannounced, 1);
    enable(&service);
    sweep_a_minute_later(&service).await;
    assert_eq!(told(&service), []);
    service.event_bus.set_refuses(false);
    service.clock.advance(MINUTE);
    let swept = service.sweep().await;
    assert_eq!((swept.announced, swept.unannounced), (2, 0));
    assert_eq!(told(&service), [FAILURE, RECOVERY]);
    sweep_a_minute_later(&service).await;
    assert_eq!(told(&service).len(), 2);
}

/// While the bus takes nothing, the record stays small. Once it takes announcements again, each follows from the one
/// before.
#[tokio::test]
async fn a_row_of_changes_that_nobody_takes_stays_bounded_and_unbroken() {
    let (service, _) = Service::with_vault(30).await;
    service.event_bus.set_refuses(true);
    for minute in 0..60 {
        if minute % 2 == 0 {
            disable(&service)
        } else {
            enable(&service)
        }
        sweep_a_minute_later(&service).await;
    }
    assert!(on_record(&service).health.unannounced.len() <= 10);
    service.event_bus.set_refuses(false);
    sweep_a_minute_later(&service).await;
    let told = told(&service);
    assert_eq!(told[0].0, HealthState::Healthy);
    assert!(told.windows(2).all(|pair| pair[0].1 == pair[1].0), "{told:?}");
    assert_eq!(told.last().unwrap().1, on_record(&service).health.state);
}

/// A crash after the write that makes a change, or before the write that marks it as announced, loses no announcement.
#[tokio::test]
async fn a_sweeper_that_dies_loses_no_announcement() {
    for nth in 1..=3 {
        for fault in [WriteFault::CrashesBefore, WriteFault::CrashesAfter] {
            let (service, _) = Service::with_vault(30).await;
            disable(&service);
            service.clock.advance(MINUTE);
            service.records.order_write_fault(nth, fault);
            let dies = tokio::time::timeout(Duration::from_secs(1), service.sweep()).await;
            assert!(dies.is_err(), "{nth} {fault:?}");
            for _ in 0..3 {
                sweep_a_minute_later(&service).await;
            }
            let mut events = service.event_bus.events();
            assert!(!events.is_empty(), "{nth} {fault:?}");
            // It may have been announced twice, but under the same id.
            events.dedup_by(|one, other| one.event_id == other.event_id);
            assert_eq!(
                events.iter().map(|it| change(it).state).collect::<Vec<_>>(),
                [HealthState::Unusable]
            );
        }
    }
}

/// What was announced is not told again as part of something else, even if a crash kept that from being recorded.
#[tokio::test]
async fn a_sweeper_that_dies_after_announcing_leaves_no_gap_when_more_goes_wrong() {
    let (service, _) = Service::with_vault(30).await;
    service
        .customer
        .change_key_in(Region::UsEast2, |key| key.state = KeyState::Disabled);
    service.clock.advance(MINUTE);
    // The writes are the claim, the health, and the mark that it was announced.
    service.records.order_write_fault(3, WriteFault::CrashesBefore);
    let dies = tokio::time::timeout(Duration::from_secs(1), service.sweep()).await;
    assert!(dies.is_err());
    assert_eq!(told(&service), [FAILURE]);
    disable(&service);
    sweep_a_minute_later(&service).await;
    let mut events = service.event_bus.events();
    events.dedup_by(|one, other| one.event_id == other.event_id);
    let told: Vec<_> = events
        .iter()
        .map(change)
        .map(|it| (it.previous_state, it.state))
        .collect();
    assert_eq!(told, [FAILURE, (HealthState::Unusable, HealthState::Unusable)]);
}

/// Live traffic finds it first. The next sweep announces it, once a check has explained it.
#[tokio::test]
async fn what_live_traffic_and_validation_by_hand_find_is_announced_by_the_next_sweep() {
    let (service, vault_id) = Service::with_vault(0).await;
    let sealed = service.environment().seal("item").await.unwrap();
    service.customer.change_key(|key| {
        key.allowed.remove("kms:Decrypt");
    });
    service.clock.advance(Duration::from_secs(1));
    assert!(service.environment().open("item", &sealed).await.is_err());
    assert_eq!(told(&service), []);
    let met_at = on_record(&service).health.checked_at;
    service.clock.advance(Duration::from_secs(1));
    service.sweep().await;
    assert_eq!(told(&service), [FAILURE]);
    let events = service.event_bus.events();
    assert_eq!(change(&events[0]).findings.len(), 2, "of both Regions");
    assert_eq!(
        change(&events[0]).changed_at,
        met_at,
        "when it was met, not when it was explained"
    );

    service.customer.change_key(|key| {
        key.allowed.insert("kms:Decrypt");
    });
    service.clock.advance(Duration::from_secs(1));
    let report = service.validate_vault().run(&request(), &admin(), &vault_id).await;
    assert!(report.is_ok());
    sweep_a_minute_later(&service).await;
    assert_eq!(told(&service), [FAILURE, RECOVERY]);
}

/// A second finding is news, even though the state stays the same.
#[tokio::test]
async fn other_findings_are_a_change() {
    let (service, _) = Service::with_vault(30).await;
    service
        .customer
        .change_key_in(Region::UsEast2, |key| key.state = KeyState::Disabled);
    sweep_a_minute_later(&service).await;
    disable(&service);
    sweep_a_minute_later(&service).await;
    assert_eq!(
        told(&service),
        [FAILURE, (HealthState::Unusable, HealthState::Unusable)]
    );
    let events = service.event_bus.events();
    let (first, second) = (change(&events[0]), change(&events[1]));
    assert_eq!((first.access_ends_by, second.findings.len()), (None, 2));
    assert!(second.access_ends_by.is_some(), "no Region opens anything any more");
    assert_eq!(
        second.findings[0].since, first.findings[0].since,
        "each since its own time"
    );
    assert_eq!(second.findings[1].since, Some(second.changed_at));
}

/// Which calls go unanswered differs from check to check.
#[tokio::test]
async fn calls_that_are_left_unanswered_are_no_change() {
    let (service, _) = Service::with_vault(30).await;
    service
        .customer
        .change_key_in(Region::UsEast2, |key| key.state = KeyState::Disabled);
    sweep_a_minute_later(&service).await;
    let unreachable = RegionOutage::Fails(Outage::Unreachable);
    for outage in [Some(unreachable), None, Some(unreachable)] {
        service.customer.set_outage(Region::UsWest2, outage);
        sweep_a_minute_later(&service).await;
        let unanswered = on_record(&service).health.findings.iter().any(|found| found.unanswered);
        assert_eq!(unanswered, outage.is_some());
    }
    assert_eq!(told(&service), [FAILURE]);
}

#[tokio::test]
async fn a_pending_deletion_is_told_at_once_and_then_each_day() {
    let (service, _) = Service::with_vault(30).await;
    sweep_a_minute_later(&service).await;
    let scheduled_at = on_record(&service).health.checked_at + MINUTE;
    let deletion_at = scheduled_at + DAY * 7;
    service.customer.change_key_in(Region::UsEast2, |key| {
        key.state = KeyState::PendingDeletion(deletion_at);
    });
    let reminders = || {
        let events = service.event_bus.events();
        let reminder = |it: Announcement| match it.news {
            News::DeletionPending(_) if it.detail_type() != "Vault Key Deletion Pending" => panic!("another type"),
            News::DeletionPending(reminder) => Some((it.event_id, reminder)),
            News::HealthChanged(_) => None,
        };
        events.into_iter().filter_map(reminder).collect::<Vec<_>>()
    };
    for day in 0..3_u32 {
        sweep_a_minute_later(&service).await;
        let told = reminders();
        assert_eq!(told.len(), day as usize + 1);
        let (_, last) = told.last().unwrap();
        assert_eq!(
            (last.deletion_at, last.days_left),
            (Some(deletion_at), Some(7 - i64::from(day)))
        );
        assert_eq!(last.findings[0].region, Some(Region::UsEast2));
        // The last check before the first day is over.
        service.clock.advance(DAY - MINUTE);
        service.sweep().await;
        assert_eq!(reminders().len(), day as usize + 1, "once a day");
    }
    let mut ids: Vec<_> = reminders().into_iter().map(|(id, _)| id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    enable(&service);
    sweep_a_minute_later(&service).await;
    for _ in 0..3 {
        service.clock.advance(DAY);
        service.sweep().await;
    }
    assert_eq!(reminders().len(), 3, "it was cancelled");

    // A new schedule is a new deletion.
    let again = on_record(&service).health.checked_at + DAY * 30;
    service
        .customer
        .change_key(|key| key.state = KeyState::PendingDeletion(again));
    sweep_a_minute_later(&service).await;
    let told = reminders();
    assert_eq!((told.len(), told[3].1.findings.len()), (4, 2));
    assert!(!ids.contains(&told[3].0));
}

/// A check that cannot be audited counts as failed, but what it found is on record all the same.
#[tokio::test]
async fn each_check_is_audited_with_its_uses_of_the_key() {
    let (service, vault_id) = Service::with_vault(30).await;
    disable(&service);
    service.clock.advance(MINUTE);
    let lines = std::sync::Mutex::new(Vec::new());
    let partitions = DuePartition::of_shard(0, 1);
    let audit = |checked: &latchkey_core::operations::CheckedVault<'_>| {
        let announced = checked.outcome.map(|outcome| outcome.announced.len());
        let line = (checked.vault.vault_id.clone(), announced, checked.key_uses.len());
        lines.lock().unwrap().push(line);
        Err(std::io::Error::other("the log is full"))
    };
    let swept = service
        .sweep_vaults()
        .run(&request(), &partitions, &audit)
        .await
        .unwrap();
    assert_eq!((swept.checked, swept.failed), (0, 1));
    let lines = lines.into_inner().unwrap();
    assert_eq!(lines, [(vault_id.clone(), Some(1), lines[0].2)]);
    assert!(lines[0].2 >= 12, "{}", lines[0].2);
    let vault = service.records.vault(&workspace(), &vault_id).await.unwrap().unwrap();
    assert_eq!(vault.health.state, HealthState::Unusable);
}

/// A sweep that started before live traffic met a refusal finds that refusal on record when it is done. It leaves it to
/// the next sweep, and the changes after it wait too.
#[tokio::test]
async fn what_no_check_has_looked_at_yet_is_not_told() {
    let (service, vault_id) = Service::with_vault(0).await;
    let sealed = service.environment().seal("item").await.unwrap();
    disable(&service);
    service.clock.advance(Duration::from_secs(1));
    assert!(service.environment().open("item", &sealed).await.is_err());
    let met = on_record(&service);
    assert_eq!(met.health.unannounced.len(), 1);
    assert!(Announcement::due(&met, &met.health, met.health.checked_at).is_empty());

    enable(&service);
    service.clock.advance(Duration::from_secs(1));
    let report = service.validate_vault().run(&request(), &admin(), &vault_id).await;
    assert!(report.is_ok());
    let mended = on_record(&service);
    let due = Announcement::due(&mended, &mended.health, mended.health.checked_at);
    let due: Vec<_> = due
        .iter()
        .map(|it| (change(it).previous_state, change(it).state))
        .collect();
    assert_eq!(due, [FAILURE, RECOVERY], "and once one has, both are, in their order");
}
