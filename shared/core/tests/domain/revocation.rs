//! When the customer takes access away, it ends within the bound: to the second, on both clocks, and in every way of
//! taking it away.

use std::time::Duration;

use latchkey_core::Error;
use latchkey_in_memory::{InMemoryCustomer, KeyState};

use crate::fixtures::Service;

const REVOCATIONS: [fn(&InMemoryCustomer); 5] = [
    |c| c.change_key(|key| key.state = KeyState::Disabled),
    |c| c.change_key(|key| key.state = KeyState::PendingDeletion("2026-12-01T00:00:00Z".parse().unwrap())),
    |c| c.change_key(|key| key.state = KeyState::Missing),
    |c| {
        c.change_key(|key| {
            key.allowed.remove("kms:Decrypt");
        });
    },
    |c| c.change_role(|role| role.lets_us_in = false),
];

#[tokio::test]
async fn a_held_data_key_serves_until_the_bound_and_not_a_moment_longer() {
    for bound in [5, 30, 300] {
        for revoke in REVOCATIONS {
            let (service, _) = Service::with_vault(bound).await;
            let environment = service.environment();
            let sealed = environment.seal("item").await.unwrap();
            environment.open("item", &sealed).await.unwrap();
            let calls = service.decrypt_calls();
            revoke(&service.customer);
            service.clock.advance(Duration::from_millis(bound * 1000 - 1));
            assert!(environment.seal("item").await.is_ok());
            assert!(environment.open("item", &sealed).await.is_ok());
            assert_eq!(service.decrypt_calls(), calls);
            service.clock.advance(Duration::from_millis(1));
            assert!(matches!(environment.seal("item").await, Err(Error::KeyRefused { .. })));
            let opened = environment.open("item", &sealed).await;
            assert!(matches!(opened, Err(Error::KeyRefused { .. })));
        }
    }
}

#[tokio::test]
async fn use_does_not_prolong_it() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    let calls = service.decrypt_calls();
    for _ in 0..29 {
        service.clock.advance(Duration::from_secs(1));
        environment.open("item", &sealed).await.unwrap();
    }
    assert_eq!(service.decrypt_calls(), calls);
    service.clock.advance(Duration::from_secs(1));
    environment.open("item", &sealed).await.unwrap();
    assert_eq!(service.decrypt_calls(), calls + 1);
}

#[tokio::test]
async fn a_clock_that_stands_still_prolongs_nothing() {
    for advance in [FakeClockStep::Wall, FakeClockStep::Monotonic] {
        let (service, _) = Service::with_vault(30).await;
        let environment = service.environment();
        let sealed = environment.seal("item").await.unwrap();
        environment.open("item", &sealed).await.unwrap();
        service.customer.change_key(|key| key.state = KeyState::Disabled);
        match advance {
            FakeClockStep::Wall => service.clock.advance_wall(Duration::from_secs(30)),
            FakeClockStep::Monotonic => service.clock.advance_monotonic(Duration::from_secs(30)),
        }
        let opened = environment.open("item", &sealed).await;
        assert!(matches!(opened, Err(Error::KeyRefused { .. })));
    }
}

enum FakeClockStep {
    Wall,
    Monotonic,
}

#[tokio::test]
async fn at_bound_0_it_is_gone_with_the_next_request() {
    for revoke in REVOCATIONS {
        let (service, _) = Service::with_vault(0).await;
        let environment = service.environment();
        let sealed = environment.seal("item").await.unwrap();
        environment.open("item", &sealed).await.unwrap();
        revoke(&service.customer);
        assert!(environment.seal("item").await.is_err());
        assert!(environment.open("item", &sealed).await.is_err());
    }
}

/// Nothing is sealed that could not be opened (requirement H3), not even by the environment that made the data key.
#[tokio::test]
async fn a_data_key_that_was_never_opened_seals_nothing() {
    let (service, _) = Service::with_vault(300).await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let environment = service.environment();
    assert!(matches!(environment.seal("item").await, Err(Error::KeyRefused { .. })));
    assert_eq!(service.records.data_keys().len(), 1);
    assert!(matches!(
        environment.seal("item").await,
        Err(Error::VaultUnusable { .. })
    ));
}

#[tokio::test]
async fn what_is_given_back_works_at_once() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    assert!(environment.open("item", &sealed).await.is_err());
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    assert!(environment.open("item", &sealed).await.is_ok());
}

/// An answer that took longer than the bound proves nothing, neither to the requests that waited for it nor to later
/// ones.
#[tokio::test(start_paused = true)]
async fn an_answer_older_than_the_bound_is_not_used() {
    let (service, _) = Service::with_vault(1).await;
    let sealed = service.environment().seal("item").await.unwrap();
    let cold = service.environment();
    service.customer.set_latency(Duration::from_secs(2));
    let time_passes = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        service.clock.advance(Duration::from_secs(1));
    };
    let (opened, ()) = futures::future::join(cold.open("item", &sealed), time_passes).await;
    assert!(matches!(opened, Err(Error::OutOfTime)));
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let opened = cold.open("item", &sealed).await;
    assert!(matches!(opened, Err(Error::KeyRefused { .. })));
}
