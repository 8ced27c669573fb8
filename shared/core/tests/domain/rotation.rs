//! When a new data key takes over: after a number of items. `concurrency` tests the period. Items sealed earlier still
//! open.

use std::time::Duration;

use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::values::Region;

use crate::fixtures::{Environment, Service, plaintext_of};

async fn seal_each(environment: &Environment, count: usize) -> Vec<Vec<u8>> {
    let mut sealed = Vec::new();
    for _ in 0..count {
        sealed.push(environment.seal("item").await.unwrap());
    }
    sealed
}

async fn assert_all_open(environment: &Environment, sealed: &[Vec<u8>]) {
    for item in sealed {
        assert_eq!(environment.open("item", item).await.unwrap(), plaintext_of("item"));
    }
}

#[tokio::test]
async fn a_data_key_seals_its_number_of_items_and_then_the_next_takes_over() {
    let (service, _) = Service::with_vault(30).await;
    let limits = RotationLimits {
        items: 10,
        ..RotationLimits::DEFAULT
    };
    let environment = service.environment_with(Region::UsEast2, limits);
    let sealed = seal_each(&environment, 10).await;
    assert_eq!(service.records.data_keys().len(), 1);
    let more = seal_each(&environment, 11).await;
    assert_eq!(service.records.data_keys().len(), 3);
    assert_all_open(&service.environment_in(Region::UsWest2), &[sealed, more].concat()).await;
}

#[tokio::test]
async fn environments_that_are_at_different_data_keys_share_them() {
    let (service, _) = Service::with_vault(30).await;
    let limits = RotationLimits {
        items: 2,
        ..RotationLimits::DEFAULT
    };
    let ahead = service.environment_with(Region::UsEast2, limits);
    let sealed = seal_each(&ahead, 6).await;
    let behind = service.environment_with(Region::UsWest2, limits);
    let more = seal_each(&behind, 4).await;
    assert_eq!(
        service.records.data_keys().len(),
        3,
        "the second one issued none of its own"
    );
    assert_all_open(&ahead, &more).await;
    assert_all_open(&behind, &sealed).await;
}

#[tokio::test]
async fn a_thousand_seals_in_a_minute_cost_each_environment_one_call_per_bound() {
    let (service, _) = Service::with_vault(60).await;
    let environments = [service.environment(), service.environment_in(Region::UsWest2)];
    let before = service.decrypt_calls();
    for _ in 0..1_000 {
        for environment in &environments {
            environment.seal("item").await.unwrap();
        }
        service.clock.advance(Duration::from_millis(59));
    }
    assert_eq!(service.decrypt_calls() - before, environments.len());
}
