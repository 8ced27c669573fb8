//! A customer's account: one key in two Regions, one role, and whatever is wrong with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::calls::Calls;
use super::customer_key::RegionalKey;
use super::customer_role::RoleTrust;
use super::latency::Latency;
use super::lock;
use super::rsa_key_pair::RsaKeyPair;
use latchkey_core::customer::{AccessError, Outage};
use latchkey_core::values::{CustomerKey, Region, RoleArn, WorkspaceId};

/// One customer. The key and the role are as the setup documentation describes them until they are changed.
#[derive(Clone, Debug)]
pub struct InMemoryCustomer {
    pub(super) key: CustomerKey,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) role: RoleTrust,
    pub(super) keys: BTreeMap<Region, RegionalKey>,
    pub(super) outages: BTreeMap<Region, RegionOutage>,
    pub(super) answers: BTreeMap<(&'static str, Region), AccessError>,
    pub(super) latency: BTreeMap<Region, Latency>,
    pub(super) service_misconfigured: bool,
    pub(super) calls: Calls<(&'static str, Region)>,
}

/// How STS and KMS fail in a Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionOutage {
    /// They never answer.
    Hangs,
    /// They fail at once.
    Fails(Outage),
}

impl InMemoryCustomer {
    /// A customer whose key has the material `key_pair` in both Regions.
    pub fn new(key: CustomerKey, key_pair: &RsaKeyPair, role_arn: RoleArn, external_id: WorkspaceId) -> Self {
        let state = State {
            role: RoleTrust::as_agreed(role_arn, external_id),
            keys: Region::ALL
                .map(|region| (region, RegionalKey::as_agreed(region, key_pair.clone())))
                .into(),
            outages: BTreeMap::new(),
            answers: BTreeMap::new(),
            latency: BTreeMap::new(),
            service_misconfigured: false,
            calls: Calls::default(),
        };
        Self {
            key,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Changes the key in one Region.
    pub fn change_key_in(&self, region: Region, change: impl FnOnce(&mut RegionalKey)) {
        self.with_state(|state| {
            if let Some(key) = state.keys.get_mut(&region) {
                change(key);
            }
        });
    }

    /// Changes the key in both Regions.
    pub fn change_key(&self, change: impl Fn(&mut RegionalKey)) {
        for region in Region::ALL {
            self.change_key_in(region, &change);
        }
    }

    /// Changes the role.
    pub fn change_role(&self, change: impl FnOnce(&mut RoleTrust)) {
        self.with_state(|state| change(&mut state.role));
    }

    /// Makes STS and KMS fail in a Region. `None` ends the outage.
    pub fn set_outage(&self, region: Region, outage: Option<RegionOutage>) {
        self.with_state(|state| match outage {
            Some(outage) => {
                state.outages.insert(region, outage);
            }
            None => {
                state.outages.remove(&region);
            }
        });
    }

    /// Makes every call of `action` in `region` answer with `error`, whatever the role and the key say.
    pub fn answer_with(&self, region: Region, action: &'static str, error: AccessError) {
        self.with_state(|state| state.answers.insert((action, region), error));
    }

    /// Sets how long every answer takes, in the runtime's time.
    pub fn set_latency(&self, latency: impl Into<Latency>) {
        let latency = latency.into();
        for region in Region::ALL {
            self.set_latency_of(region, latency.clone());
        }
    }

    /// Sets how long every answer of one Region takes, in the runtime's time.
    pub fn set_latency_of(&self, region: Region, latency: impl Into<Latency>) {
        self.with_state(|state| state.latency.insert(region, latency.into()));
    }

    /// Sets whether the service is refused even its own access role.
    pub fn set_service_misconfigured(&self, misconfigured: bool) {
        self.with_state(|state| state.service_misconfigured = misconfigured);
    }

    /// How often `action` (`kms:Decrypt`, `sts:AssumeRole`, ...) was called in `region`, allowed or not.
    pub fn calls_in(&self, region: Region, action: &str) -> usize {
        self.with_state(|state| state.calls.count(|called| *called == (action, region)))
    }

    /// How often `action` was called in either Region.
    pub fn calls_of(&self, action: &str) -> usize {
        self.with_state(|state| state.calls.count(|(called, _)| *called == action))
    }

    /// How many calls of any kind there were in either Region.
    pub fn calls(&self) -> usize {
        self.with_state(|state| state.calls.count(|_| true))
    }

    pub(super) fn with_state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut lock(&self.state))
    }
}
