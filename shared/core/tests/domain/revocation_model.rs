//! Random lives of a vault, checked against a model of what each environment may hold.

use std::collections::BTreeMap;
use std::time::Duration;

use latchkey_in_memory::KeyState;
use proptest::prelude::*;

use crate::fixtures::{Environment, Service, admin, plaintext_of, request};

#[derive(Clone, Debug)]
enum Step {
    Seal,
    /// Opens the item with this number, modulo the number of items.
    Open(usize),
    Advance(Duration),
    Revoke,
    Restore,
    /// What the sweep does sooner or later.
    Validate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Seal),
        4 => (0..64_usize).prop_map(Step::Open),
        3 => (0..40_000_u64).prop_map(|millis| Step::Advance(Duration::from_millis(millis))),
        1 => (0..400_u64).prop_map(|seconds| Step::Advance(Duration::from_secs(seconds))),
        1 => Just(Step::Advance(Duration::from_secs(12 * 3600))),
        1 => Just(Step::Revoke),
        1 => Just(Step::Restore),
        1 => Just(Step::Validate),
    ]
}

/// The model: the time since the start, and when each environment last got each data key (by period) from the
/// customer's key.
struct Model {
    bound: Duration,
    now: Duration,
    revoked_at: Option<Duration>,
    /// Whether the vault is known to be unusable.
    gated: bool,
    last_proofs: BTreeMap<(Cache, u64), Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cache {
    Sealing,
    Opening,
}

struct Prediction {
    succeeds: bool,
    asks_the_key: bool,
}

impl Model {
    /// The service starts at 10:00, so the first period ends after 14 hours, and the next ones every 24.
    fn period(&self) -> u64 {
        (self.now.as_secs() + 10 * 3600) / (24 * 3600)
    }

    fn use_data_key(&mut self, cache: Cache, period: u64) -> Prediction {
        if self.gated && cache == Cache::Sealing {
            return Prediction {
                succeeds: false,
                asks_the_key: false,
            };
        }
        let held = self.last_proofs.get(&(cache, period));
        if held.is_some_and(|&proof| self.now - proof < self.bound) {
            return Prediction {
                succeeds: true,
                asks_the_key: false,
            };
        }
        let succeeds = self.revoked_at.is_none();
        if succeeds {
            self.last_proofs.insert((cache, period), self.now);
        } else {
            self.gated = true;
        }
        Prediction {
            succeeds,
            asks_the_key: true,
        }
    }
}

async fn live(bound: u64, steps: Vec<Step>) {
    let (service, vault_id) = Service::with_vault(bound).await;
    let environment = service.environment();
    let mut items: Vec<(Vec<u8>, u64)> = Vec::new();
    let mut model = Model {
        bound: Duration::from_secs(bound),
        now: Duration::ZERO,
        revoked_at: None,
        gated: false,
        last_proofs: BTreeMap::new(),
    };
    for step in steps {
        let calls = service.decrypt_calls();
        let (prediction, succeeded) = match step {
            Step::Seal => {
                let period = model.period();
                let sealed = environment.seal("item").await;
                let succeeded = sealed.is_ok();
                items.extend(sealed.ok().map(|sealed| (sealed, period)));
                (model.use_data_key(Cache::Sealing, period), succeeded)
            }
            Step::Open(_) if items.is_empty() => continue,
            Step::Open(number) => {
                let (sealed, period) = &items[number % items.len()];
                let prediction = model.use_data_key(Cache::Opening, *period);
                (prediction, opens(&environment, sealed).await)
            }
            Step::Advance(time) => {
                service.clock.advance(time);
                model.now += time;
                continue;
            }
            Step::Revoke => {
                service.customer.change_key(|key| key.state = KeyState::Disabled);
                model.revoked_at.get_or_insert(model.now);
                continue;
            }
            Step::Restore => {
                service.customer.change_key(|key| key.state = KeyState::Enabled);
                model.revoked_at = None;
                continue;
            }
            Step::Validate => {
                let validated = service.validate_vault().run(&request(), &admin(), &vault_id).await;
                validated.unwrap();
                model.gated = model.revoked_at.is_some();
                continue;
            }
        };
        assert_eq!(succeeded, prediction.succeeds);
        assert_eq!(service.decrypt_calls() - calls, usize::from(prediction.asks_the_key));
        // What the customer is promised, without the model's caches.
        if let (true, Some(revoked_at)) = (succeeded, model.revoked_at) {
            assert!(model.now < revoked_at + model.bound);
        }
    }
}

async fn opens(environment: &Environment, sealed: &[u8]) -> bool {
    match environment.open("item", sealed).await {
        Ok(plaintext) => {
            assert_eq!(plaintext, plaintext_of("item"));
            true
        }
        Err(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_life_follows_the_model(
        bound in prop::sample::select(vec![0_u64, 5, 30, 300]),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(live(bound, steps));
    }
}
