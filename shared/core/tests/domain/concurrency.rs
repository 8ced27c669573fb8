//! How often the customer's key is asked: once for each data key, however many requests want it.

use std::time::Duration;

use futures::future::{join, join_all};
use latchkey_core::Error;
use latchkey_core::operations::CreateVaultCommand;
use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;

use crate::fixtures::{Service, item_to_open, member, plaintext_of, settings};

#[tokio::test]
async fn a_batch_costs_one_call_whatever_the_bound() {
    for cache_seconds in [0, 30] {
        let (service, _) = Service::with_vault(cache_seconds).await;
        let environment = service.environment();
        let before = service.decrypt_calls();
        let names: Vec<String> = (0..100).map(|n| format!("item-{n}")).collect();
        let ids: Vec<&str> = names.iter().map(String::as_str).collect();
        let sealed = environment.seal_all(None, &ids).await.unwrap();
        let sealing = service.decrypt_calls() - before;
        let opened = environment.open_all(sealed).await;
        let opening = service.decrypt_calls() - before - sealing;
        assert!(opened.iter().all(Result::is_ok));
        assert_eq!((sealing, opening), (1, 1), "bound {cache_seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_share_one_call_and_at_bound_0_none() {
    for (cache_seconds, wanted) in [(30, 1), (0, 100)] {
        let (service, _) = Service::with_vault(cache_seconds).await;
        let sealed = service.environment().seal("item").await.unwrap();
        let cold = service.environment();
        service.customer.set_latency(Duration::from_millis(20));
        let before = service.decrypt_calls();
        let opened = join_all((0..100).map(|_| cold.open("item", &sealed))).await;
        assert!(opened.iter().all(Result::is_ok));
        assert_eq!(service.decrypt_calls() - before, wanted, "bound {cache_seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_holds_when_the_bound_has_just_passed() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    environment.open("item", &sealed).await.unwrap();
    service.customer.set_latency(Duration::from_millis(20));
    service.clock.advance(Duration::from_secs(30));
    let before = service.decrypt_calls();
    let opened = join_all((0..100).map(|_| environment.open("item", &sealed))).await;
    assert!(opened.iter().all(Result::is_ok));
    assert_eq!(service.decrypt_calls() - before, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_holds_on_many_threads() {
    let (service, _) = Service::with_vault(30).await;
    let environment = std::sync::Arc::new(service.environment());
    let sealed = environment.seal("item").await.unwrap();
    for round in 0..200 {
        service.clock.advance(Duration::from_secs(30));
        let before = service.decrypt_calls();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (environment, sealed) = (environment.clone(), sealed.clone());
                tokio::spawn(async move { environment.open("item", &sealed).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), plaintext_of("item"));
        }
        assert_eq!(service.decrypt_calls() - before, 1, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_takes_no_other_with_it() {
    let (service, _) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    let cold = service.environment();
    service.customer.set_latency(Duration::from_secs(1));
    let impatient = tokio::time::timeout(Duration::from_millis(500), cold.open("item", &sealed));
    let (gone, opened) = futures::future::join(impatient, cold.open("item", &sealed)).await;
    assert!(gone.is_err());
    assert_eq!(opened.unwrap(), plaintext_of("item"));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_time_runs_out_takes_no_other_with_it() {
    let (service, _) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    let cold = service.environment();
    service.customer.set_latency(Duration::from_secs(2));
    let short = RequestContext::new(RequestId::generate(), Duration::from_secs(1));
    let (caller, items) = (member(), vec![item_to_open("item", &sealed)]);
    let out_of_time = cold.decrypt.run(&short, &caller, items);
    let in_time = join_all((0..3).map(|_| cold.open("item", &sealed)));
    let before = service.decrypt_calls();
    let (out_of_time, in_time) = futures::future::join(out_of_time, in_time).await;
    assert!(matches!(out_of_time[0].outcome, Err(Error::OutOfTime)));
    for opened in in_time {
        assert_eq!(opened.unwrap(), plaintext_of("item"));
    }
    // The first request asked both Regions. Of the others, one asked for all of them.
    assert_eq!(service.decrypt_calls() - before, 3);
}

#[tokio::test]
async fn environments_that_race_issue_one_data_key_and_read_each_other() {
    use latchkey_core::values::Region::{UsEast2, UsWest2};
    let (service, _) = Service::with_vault(30).await;
    let environments: Vec<_> = [UsEast2, UsWest2]
        .into_iter()
        .cycle()
        .take(10)
        .map(|home| service.environment_in(home))
        .collect();
    let sealed = join_all(environments.iter().map(|environment| environment.seal("item"))).await;
    let sealed: Vec<_> = sealed
        .into_iter()
        .map(|sealed| item_to_open("item", &sealed.unwrap()))
        .collect();
    assert!(service.records.calls_of("issue") > 1, "they did race");
    assert_eq!(service.records.data_keys().len(), 1);
    for environment in &environments {
        for item in &sealed {
            let opened = environment.open(&item.item_id, &item.sealed_item).await;
            assert_eq!(opened.unwrap(), plaintext_of("item"));
        }
    }
}

#[tokio::test]
async fn a_new_period_has_a_new_data_key_and_the_old_items_open() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let old = environment.seal("old").await.unwrap();
    service.clock.advance(Duration::from_secs(24 * 3600));
    let new = environment.seal("new").await.unwrap();
    assert_eq!(service.records.data_keys().len(), 2);
    assert_eq!(environment.open("old", &old).await.unwrap(), plaintext_of("old"));
    assert_eq!(environment.open("new", &new).await.unwrap(), plaintext_of("new"));
}

/// The environment serves ten requests at a time. All of them want the same vault, whose key is slow.
#[tokio::test(start_paused = true)]
async fn a_slow_key_takes_no_more_than_half_of_an_environment() {
    for cache_seconds in [0, 30] {
        let (service, _) = Service::with_vault(cache_seconds).await;
        let sealed = service.environment().seal("item").await.unwrap();
        let other = CreateVaultCommand {
            settings: settings("Other", cache_seconds),
            set_as_default: false,
        };
        let (other, _) = service.create(other).await.unwrap();
        let shared = service.environment_shared_by(10);
        service.customer.set_latency(Duration::from_secs(2));
        let slow = (0..10).map(|_| shared.open("item", &sealed)).collect::<Vec<_>>();
        let others = shared.seal_all(Some(&other.vault.vault_id), &["item"]);
        let (answers, others) = join(join_all(slow), others).await;
        assert!(others.is_ok(), "another vault has its own places");
        let throttled =
            |answer: &&Result<_, Error>| matches!(answer, Err(error @ Error::Throttled) if error.retryable());
        assert_eq!(answers.iter().filter(throttled).count(), 5, "bound {cache_seconds}");
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
        assert!(
            shared.open("item", &sealed).await.is_ok(),
            "whoever has left makes room"
        );
    }
}
