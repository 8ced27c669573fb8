//! A refusal that live traffic meets is on record at once, and an unusable vault takes no new items until it is
//! validated again.

use std::time::Duration;

use futures::future::join_all;
use latchkey_core::Error;
use latchkey_core::customer::Outage;
use latchkey_core::error::Fault;
use latchkey_core::findings::Check;
use latchkey_core::health::due::Due;
use latchkey_core::health::{Health, HealthState};
use latchkey_core::ports::StoreError;
use latchkey_core::values::{Region, VaultId};
use latchkey_core::vault::Vault;
use latchkey_in_memory::{KeyState, RegionOutage, WriteFault};

use crate::fixtures::{Environment, Service, admin, plaintext_of, request, workspace};

fn on_record(service: &Service) -> Vault {
    service.records.vaults(&workspace()).remove(0)
}

async fn validate(service: &Service, vault_id: &VaultId) -> Health {
    let validated = service.validate_vault().run(&request(), &admin(), vault_id).await;
    validated.unwrap();
    on_record(service).health
}

/// A vault whose key is disabled in both Regions, an item sealed before that, and an environment with an empty cache.
async fn revoked() -> (Service, VaultId, Vec<u8>, Environment) {
    let (service, vault_id) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    service.clock.advance(Duration::from_secs(10));
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let environment = service.environment();
    (service, vault_id, sealed, environment)
}

#[tokio::test]
async fn a_refusal_of_either_call_is_on_record_at_once_and_the_vault_due() {
    for seals in [true, false] {
        let (service, _, sealed, environment) = revoked().await;
        let now = on_record(&service).created_at + Duration::from_secs(10);
        let refused = if seals {
            environment.seal("new").await
        } else {
            environment.open("item", &sealed).await
        };
        assert!(matches!(refused, Err(Error::KeyRefused { .. })));
        let vault = on_record(&service);
        let health = &vault.health;
        assert_eq!(
            (health.state, health.since, health.checked_at),
            (HealthState::Unusable, now, now)
        );
        assert_eq!(health.findings.len(), 1);
        assert_eq!(
            (health.findings[0].check, health.findings[0].region),
            (Check::KeyEnabled, Some(Region::UsEast2))
        );
        assert_eq!(vault.due, Due::at_once(now));
    }
}

#[tokio::test]
async fn an_unusable_vault_takes_no_items_and_asks_nobody_but_still_tries_to_open() {
    let (service, vault_id, sealed, environment) = revoked().await;
    let health = validate(&service, &vault_id).await;
    let calls = service.customer.calls();
    let error = environment.seal("new").await.unwrap_err();
    assert_eq!((error.fault(), error.retryable()), (Fault::CustomerKey, false));
    let Error::VaultUnusable { findings } = error else {
        panic!("{error}");
    };
    assert_eq!(findings, health.findings);
    assert_eq!(service.customer.calls(), calls);
    assert!(matches!(
        environment.open("item", &sealed).await,
        Err(Error::KeyRefused { .. })
    ));
    assert_eq!(service.customer.calls(), calls + 1);
}

/// The gate is on record, so a data key that is still held does not bypass it.
#[tokio::test]
async fn the_gate_closes_ahead_of_the_bound() {
    let (service, vault_id) = Service::with_vault(300).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    service
        .customer
        .change_key_in(Region::UsWest2, |key| key.state = KeyState::Disabled);
    validate(&service, &vault_id).await;
    assert!(matches!(
        environment.seal("new").await,
        Err(Error::VaultUnusable { .. })
    ));
    assert_eq!(environment.open("item", &sealed).await.unwrap(), plaintext_of("item"));
}

#[tokio::test]
async fn a_validation_that_passes_opens_the_gate() {
    let (service, vault_id, _, environment) = revoked().await;
    assert!(environment.seal("new").await.is_err());
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    assert!(matches!(
        environment.seal("new").await,
        Err(Error::VaultUnusable { .. })
    ));
    let health = validate(&service, &vault_id).await;
    assert_eq!(health.state, HealthState::Healthy);
    assert!(environment.seal("new").await.is_ok());
    assert_eq!(on_record(&service).due.at, health.checked_at + Duration::from_secs(60));
}

#[tokio::test]
async fn creating_the_vault_again_opens_the_gate_as_it_validates_it() {
    let (service, _, _, environment) = revoked().await;
    assert!(environment.seal("new").await.is_err());
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    let (view, _) = service.create(crate::fixtures::command("Acme")).await.unwrap();
    assert_eq!(view.vault.health.state, HealthState::Healthy);
    assert_eq!(on_record(&service).health, view.vault.health);
    assert!(environment.seal("new").await.is_ok());
}

/// An item that opens proves one call in one Region. That makes the vault due, but does not clear it.
#[tokio::test]
async fn an_item_that_opens_in_an_unusable_vault_makes_it_due() {
    let (service, vault_id, sealed, environment) = revoked().await;
    validate(&service, &vault_id).await;
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    service.clock.advance(Duration::from_secs(5));
    let before = on_record(&service);
    environment.open("item", &sealed).await.unwrap();
    let after = on_record(&service);
    assert_eq!(after.health, before.health);
    assert_eq!(
        after.due,
        Due::at_once(before.health.checked_at + Duration::from_secs(5))
    );
    service.clock.advance(Duration::from_secs(31));
    environment.open("item", &sealed).await.unwrap();
    assert_eq!(service.records.calls_of("mark_due"), 1, "due is due");
}

#[tokio::test]
async fn a_data_key_that_was_held_proves_nothing() {
    let (service, vault_id) = Service::with_vault(300).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.clock.advance(Duration::from_secs(5));
    validate(&service, &vault_id).await;
    assert!(environment.open("item", &sealed).await.is_ok());
    assert_eq!(service.records.calls_of("mark_due"), 0);
}

#[tokio::test]
async fn an_outage_gates_nothing_and_writes_nothing() {
    let (service, _) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    let before = on_record(&service);
    service.outage_everywhere(Some(RegionOutage::Fails(Outage::ServerError)));
    let environment = service.environment();
    assert!(environment.open("item", &sealed).await.is_err());
    assert!(environment.seal("new").await.is_err());
    assert_eq!(
        (on_record(&service).health, on_record(&service).due),
        (before.health, before.due)
    );
    assert_eq!(service.records.calls_of("record_health"), 0);
}

/// A hundred requests that are refused at once make one change on record. Later refusals write nothing.
#[tokio::test]
async fn a_stampede_of_refusals_is_one_change() {
    let (service, _, sealed, environment) = revoked().await;
    let before = on_record(&service).health.revision;
    let opened = join_all((0..100).map(|_| environment.open("item", &sealed))).await;
    assert!(
        opened
            .iter()
            .all(|outcome| matches!(outcome, Err(Error::KeyRefused { .. })))
    );
    assert_eq!(on_record(&service).health.revision, before + 1);
    let writes = service.records.calls_of("record_health");
    assert!(environment.open("item", &sealed).await.is_err());
    assert_eq!(
        service.records.calls_of("record_health"),
        writes,
        "what is known is not written again"
    );
}

/// If the refusal cannot be recorded, the answer is still the refusal, and it is not late.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_cannot_be_recorded_is_answered_all_the_same() {
    for fault in [
        WriteFault::FailsBefore,
        WriteFault::FailsAfter,
        WriteFault::CrashesBefore,
    ] {
        let (service, _, sealed, environment) = revoked().await;
        service.records.order_write_fault(1, fault);
        let opened = environment.open("item", &sealed).await;
        assert!(matches!(opened, Err(Error::KeyRefused { .. })), "{fault:?}");
        let recorded = on_record(&service).health.state == HealthState::Unusable;
        assert_eq!(recorded, fault == WriteFault::FailsAfter);
    }
}

#[tokio::test]
async fn records_that_cannot_be_read_seal_nothing() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    environment.seal("item").await.unwrap();
    service.records.fail_reads(Some(StoreError::Unavailable));
    assert!(matches!(environment.seal("item").await, Err(Error::Unavailable)));
}
