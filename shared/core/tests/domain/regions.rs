//! Two Regions: if one has an outage, everything opens through the other; if one refuses, that is final.

use std::time::Duration;

use futures::future::join;
use latchkey_core::Error;
use latchkey_core::customer::{AccessError, Outage, Refusal};
use latchkey_core::error::Fault;
use latchkey_core::findings::Check;
use latchkey_core::operations::DisableMode;
use latchkey_core::values::Region;
use latchkey_in_memory::{InMemoryCustomer, KeyState, RegionOutage};
use tokio::time::timeout;

use crate::fixtures::{OTHER_KEY_PAIR, Service, customer_key, plaintext_of};

const OUTAGES: [RegionOutage; 5] = [
    RegionOutage::Hangs,
    RegionOutage::Fails(Outage::Unreachable),
    RegionOutage::Fails(Outage::TimedOut),
    RegionOutage::Fails(Outage::ServerError),
    RegionOutage::Fails(Outage::Throttled),
];

fn calls(service: &Service, region: Region) -> usize {
    service.customer.calls_in(region, "kms:Decrypt")
}

#[tokio::test]
async fn each_region_opens_what_the_other_sealed_with_its_own_key() {
    for home in Region::ALL {
        let (service, _) = Service::with_vault(30).await;
        let sealed = service.environment_in(home.other()).seal("item").await.unwrap();
        let issued = service.records.data_keys().remove(0);
        let primary_arn = customer_key().arn(Region::PRIMARY);
        assert_eq!(issued.encrypted_data_key.key_arn(), Some(primary_arn.as_str()));
        let before = Region::ALL.map(|region| calls(&service, region));
        let opened = service.environment_in(home).open("item", &sealed).await;
        assert_eq!(opened.unwrap(), plaintext_of("item"));
        let after = Region::ALL.map(|region| calls(&service, region));
        for ((region, before), after) in Region::ALL.into_iter().zip(before).zip(after) {
            assert_eq!(after - before, usize::from(region == home));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_home_is_answered_by_the_other_region() {
    for home in Region::ALL {
        for outage in OUTAGES {
            let (service, _) = Service::with_vault(30).await;
            service.customer.set_outage(home, Some(outage));
            let environment = service.environment_in(home);
            let sealed = environment.seal("item").await.unwrap();
            assert_eq!(environment.open("item", &sealed).await.unwrap(), plaintext_of("item"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_what_is_prepared_ahead() {
    let (service, vault_id) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    service.disable(&vault_id, DisableMode::Disabled).await;
    service.customer.set_outage(Region::UsEast2, Some(RegionOutage::Hangs));
    let environment = service.environment();
    let answers = join(environment.seal("item"), environment.open("item", &sealed));
    let (sealed, opened) = timeout(Duration::from_secs(1), answers).await.unwrap();
    assert!(matches!(sealed, Err(Error::NoDefaultVault)));
    assert!(matches!(opened, Err(Error::WrongVaultStatus { .. })));
}

/// The time spent on a Region that does not answer does not count against the bound, however short the bound is.
#[tokio::test(start_paused = true)]
async fn a_short_bound_survives_a_slow_outage() {
    for cache_seconds in [0, 1, 5] {
        let (service, _) = Service::with_vault(cache_seconds).await;
        let sealed = service.environment().seal("item").await.unwrap();
        service.customer.set_outage(Region::UsEast2, Some(RegionOutage::Hangs));
        let cold = service.environment();
        let time_passes = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            service.clock.advance(Duration::from_secs(20));
        };
        let (opened, ()) = join(cold.open("item", &sealed), time_passes).await;
        assert_eq!(opened.unwrap(), plaintext_of("item"), "bound {cache_seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_both_regions_may_be_tried_again() {
    for outage in OUTAGES {
        let (service, _) = Service::with_vault(30).await;
        let sealed = service.environment().seal("item").await.unwrap();
        service.outage_everywhere(Some(outage));
        let cold = service.environment();
        let error = cold.open("item", &sealed).await.unwrap_err();
        let throttled = outage == RegionOutage::Fails(Outage::Throttled);
        assert_eq!(matches!(error, Error::Throttled), throttled, "{error}");
        assert_eq!((error.fault(), error.retryable()), (Fault::Dependency, true));
        service.outage_everywhere(None);
        assert!(cold.open("item", &sealed).await.is_ok());
    }
}

/// A silent Region takes no more than its share of the request's time. The rest is for the answer, and for the vaults
/// of the same batch that do answer.
#[tokio::test(start_paused = true)]
async fn silence_costs_seconds_and_not_the_whole_request() {
    for (silent, seconds) in [(&Region::ALL[..1], 4.5), (&Region::ALL[..], 9.0)] {
        let (service, _) = Service::with_vault(30).await;
        let sealed = service.environment().seal("item").await.unwrap();
        for region in silent {
            service.customer.set_outage(*region, Some(RegionOutage::Hangs));
        }
        let start = tokio::time::Instant::now();
        let opened = service.environment().open("item", &sealed).await;
        assert_eq!(start.elapsed(), Duration::from_secs_f64(seconds));
        assert_eq!(opened.is_ok(), silent.len() == 1);
        assert!(!matches!(opened, Err(Error::OutOfTime)), "it is AWS that was slow");
    }
}

#[tokio::test]
async fn an_outage_never_outlives_the_request() {
    let (service, _) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    service.outage_everywhere(Some(RegionOutage::Hangs));
    let hurried = latchkey_core::request::RequestContext::new(
        latchkey_core::values::RequestId::generate(),
        Duration::from_millis(50),
    );
    let cold = service.environment();
    let items = vec![crate::fixtures::item_to_open("item", &sealed)];
    let opened = cold.decrypt.run(&hurried, &crate::fixtures::member(), items).await;
    assert!(matches!(opened[0].outcome, Err(Error::OutOfTime)));
}

type Revocation = (Refusal, Check, fn(&InMemoryCustomer, Region));

const REVOCATIONS: &[Revocation] = &[
    (Refusal::KeyDisabled, Check::KeyEnabled, |c, region| {
        c.change_key_in(region, |key| key.state = KeyState::Disabled);
    }),
    (
        Refusal::KeyPendingDeletion,
        Check::KeyNotPendingDeletion,
        |c, region| {
            let date = "2026-12-01T00:00:00Z".parse().unwrap();
            c.change_key_in(region, |key| key.state = KeyState::PendingDeletion(date));
        },
    ),
    (Refusal::KeyNotFound, Check::KeyFound, |c, region| {
        c.change_key_in(region, |key| key.state = KeyState::Missing);
    }),
    (Refusal::KeyInvalidState, Check::KeyEnabled, |c, region| {
        c.change_key_in(region, |key| key.state = KeyState::Creating);
    }),
    (Refusal::AccessDenied, Check::DecryptAllowed, |c, region| {
        c.change_key_in(region, |key| {
            key.allowed.remove("kms:Decrypt");
        });
    }),
    (Refusal::InvalidKeyUsage, Check::KeyUsageEncryptDecrypt, |c, region| {
        c.change_key_in(region, |key| key.key_usage = "SIGN_VERIFY".to_owned());
    }),
    (Refusal::InvalidCiphertext, Check::PublicKeyUnchanged, |c, region| {
        c.change_key_in(region, |key| key.key_pair = OTHER_KEY_PAIR.clone());
    }),
    (Refusal::RoleNotAssumable, Check::RoleAssumable, |c, region| {
        c.answer_with(region, "kms:Decrypt", AccessError::Refused(Refusal::RoleNotAssumable));
    }),
];

#[tokio::test]
async fn a_refusal_at_home_is_never_answered_by_the_other_region() {
    for home in Region::ALL {
        for (refusal, check, revoke) in REVOCATIONS {
            let (service, vault_id) = Service::with_vault(30).await;
            let sealed = service.environment_in(home).seal("item").await.unwrap();
            revoke(&service.customer, home);
            let before = calls(&service, home.other());
            let environment = service.environment_in(home);
            let errors = [
                environment.seal_all(Some(&vault_id), &["item"]).await.unwrap_err(),
                environment.open("item", &sealed).await.unwrap_err(),
            ];
            for error in errors {
                assert_eq!((error.fault(), error.retryable()), (Fault::CustomerKey, false));
                let Error::KeyRefused {
                    region,
                    refusal: found,
                    finding,
                } = error
                else {
                    panic!("{error}");
                };
                assert_eq!((region, found, finding.check), (home, *refusal, *check));
                let of_the_role = found == Refusal::RoleNotAssumable;
                assert_eq!(finding.region, (!of_the_role).then_some(home));
                assert!(finding.remedy.is_some());
            }
            assert_eq!(calls(&service, home.other()), before, "{refusal:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_met_during_fail_over_is_final_too() {
    for (refusal, _, revoke) in REVOCATIONS {
        let (service, _) = Service::with_vault(30).await;
        let sealed = service.environment().seal("item").await.unwrap();
        revoke(&service.customer, Region::UsWest2);
        let down = RegionOutage::Fails(Outage::Unreachable);
        service.customer.set_outage(Region::UsEast2, Some(down));
        let error = service.environment().open("item", &sealed).await.unwrap_err();
        let Error::KeyRefused {
            region, refusal: found, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((region, found), (Region::UsWest2, *refusal));
    }
}

#[tokio::test]
async fn our_own_misconfiguration_is_our_fault() {
    let (service, _) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    service.customer.set_service_misconfigured(true);
    let error = service.environment().open("item", &sealed).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Service);
}

/// A finding keeps "locked" and "lost" apart (requirement H2).
#[tokio::test]
async fn only_a_key_on_its_way_out_is_said_to_be_so() {
    for (refusal, _, revoke) in REVOCATIONS {
        let (service, _) = Service::with_vault(30).await;
        let sealed = service.environment().seal("item").await.unwrap();
        revoke(&service.customer, Region::UsEast2);
        let error = service.environment().open("item", &sealed).await.unwrap_err();
        let Error::KeyRefused { finding, .. } = error else {
            panic!("{error}");
        };
        let permanent = matches!(refusal, Refusal::KeyPendingDeletion | Refusal::KeyNotFound);
        assert_eq!(
            finding.message.contains("ever be opened again"),
            permanent,
            "{refusal:?}"
        );
    }
}
