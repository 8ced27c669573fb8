//! Which sweep checks a vault: one claims it, and the claim expires if that sweep dies.

use std::time::Duration;

use latchkey_core::health::HealthState;
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::operations::Swept;
use latchkey_core::ports::{DueVault, DueVaults, StoreError};
use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;
use latchkey_in_memory::{KeyState, WriteFault};

use crate::fixtures::{Service, command, request, workspace};
use crate::sweep::{MINUTE, checks_of, on_record, one, sweep};

/// The claim moves the vault's own due time, so a sweep that saw an older one has lost.
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
    // The sweep that claimed it has died.
    assert_eq!(sweep(&service).await, Swept::default());
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
}

/// A sweep dies between any two writes. The vault is checked when the claim has expired.
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

/// A check that was claimed too late to be finished is not started. It is due again when the claim has expired.
#[tokio::test(start_paused = true)]
async fn a_claim_that_took_too_long_begins_no_check() {
    let (service, _) = Service::with_vault(30).await;
    service.clock.advance(MINUTE);
    service.records.set_latency(Duration::ZERO, Duration::from_secs(10));
    let calls = service.customer.calls();
    let within_20_s = RequestContext::new(RequestId::generate(), Duration::from_secs(20));
    let all = DuePartition::of_shard(0, 1);
    let swept = service
        .sweep_vaults()
        .run(&within_20_s, &all, &|_| Ok(()))
        .await
        .unwrap();
    let left = Swept {
        left: 1,
        ..Swept::default()
    };
    assert_eq!((swept, service.customer.calls()), (left, calls));
    service.records.set_latency(Duration::ZERO, Duration::ZERO);
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
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

/// The write that creates a vault also puts it in the index, so it is never on record without being due.
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
