//! The composition root: it takes settings and ports, and builds one operation.
//!
//! An operation gets only what it uses, so a function starts with no more than it needs.

use std::sync::Arc;

use crate::customer::ManagedKey;
use crate::data_keys::DataKeys;
use crate::data_keys::rotation::RotationLimits;
use crate::ports::{Announcer, Clock, CustomerKeys, DataKeyStore, DueVaults, VaultStore};
use crate::setup_kit::TemplatesUrl;
use crate::values::{Region, RoleArn};

/// What a service needs from the outside world. A port is made when an operation that uses it is built.
pub trait Ports {
    /// The records of vaults and data keys.
    type Store: VaultStore + DueVaults + DataKeyStore + Clone;
    /// The customers' keys and roles.
    type CustomerKeys: CustomerKeys;
    /// The time.
    type Clock: Clock;
    /// The event bus.
    type Announcer: Announcer;

    /// The records of vaults and data keys.
    fn store(&self) -> Self::Store;
    /// The customers' keys and roles.
    fn customer_keys(&self) -> Self::CustomerKeys;
    /// The time.
    fn clock(&self) -> Self::Clock;
    /// The event bus.
    fn announcer(&self) -> Self::Announcer;
}

/// Ports that exist already. Each operation gets a clone.
#[derive(Clone, Debug)]
pub struct GivenPorts<S, K, C, A> {
    /// The records of vaults and data keys.
    pub store: S,
    /// The customers' keys and roles.
    pub customer_keys: K,
    /// The time.
    pub clock: C,
    /// The event bus.
    pub announcer: A,
}

impl<S, K, C, A> Ports for GivenPorts<S, K, C, A>
where
    S: VaultStore + DueVaults + DataKeyStore + Clone,
    K: CustomerKeys + Clone,
    C: Clock + Clone,
    A: Announcer + Clone,
{
    type Store = S;
    type CustomerKeys = K;
    type Clock = C;
    type Announcer = A;

    fn store(&self) -> S {
        self.store.clone()
    }

    fn customer_keys(&self) -> K {
        self.customer_keys.clone()
    }

    fn clock(&self) -> C {
        self.clock.clone()
    }

    fn announcer(&self) -> A {
        self.announcer.clone()
    }
}

/// The settings of an execution environment.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// The Region that it runs in.
    pub region: Region,
    /// The service's access role, which customers trust.
    pub access_role: RoleArn,
    /// The key for vaults of strategy `managed`, if the service offers them.
    pub managed_key: Option<ManagedKey>,
    /// Where the AWS console can read the templates of setup kits, if they are published.
    pub templates_url: Option<TemplatesUrl>,
    /// For how long, and for how many items, a data key seals.
    pub rotation_limits: RotationLimits,
    /// How many requests it serves at a time. Half of them may wait for one vault's key.
    pub max_concurrency: usize,
}

impl ServiceSettings {
    /// Settings with the default limits, nothing optional, and no limit on how many requests wait for one vault's key.
    pub const fn new(region: Region, access_role: RoleArn) -> Self {
        Self {
            region,
            access_role,
            managed_key: None,
            templates_url: None,
            rotation_limits: RotationLimits::DEFAULT,
            max_concurrency: usize::MAX,
        }
    }
}

/// The service in one execution environment. Each operation's file adds the method that builds it, with nothing cached
/// yet.
#[derive(Clone, Debug)]
pub struct Service<P> {
    /// Its ports.
    pub ports: P,
    /// Its settings.
    pub settings: ServiceSettings,
}

impl<P: Ports> Service<P> {
    /// The data keys of one environment.
    pub fn data_keys(&self) -> Arc<DataKeys<P::Store, P::CustomerKeys, P::Clock>> {
        let data_keys = DataKeys::new(
            self.ports.store(),
            self.ports.customer_keys(),
            self.ports.clock(),
            self.settings.region,
            self.settings.rotation_limits,
        );
        Arc::new(data_keys.shared_by(self.settings.max_concurrency))
    }
}
