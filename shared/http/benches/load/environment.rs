//! Execution environments, built as the functions build them, and the world that they work in.

use core::time::Duration;

use latchkey_core::operations::{GivenPorts, Service, ServiceSettings};
use latchkey_core::ports::SystemClock;
use latchkey_core::values::{Region, RoleArn};
use latchkey_http::endpoints::{
    CreateVaultEndpoint, DecryptItemEndpoint, DisableVaultEndpoint, EnableVaultEndpoint, EncryptItemEndpoint,
    ReassignItemEndpoint,
};
use latchkey_in_memory::{InMemoryCustomer, InMemoryCustomers, InMemoryEventBus, InMemoryRecords, Latency};

const KMS_MEDIAN: Duration = Duration::from_millis(8);
const DYNAMODB_MEDIAN: Duration = Duration::from_millis(4);
/// With this spread, one answer in a hundred takes five times the median or more.
const SPREAD: f64 = 0.69;
const LONGEST: Duration = Duration::from_millis(100);

/// The records of both Regions and all customers' accounts.
pub struct World {
    records: InMemoryRecords,
    customers: InMemoryCustomers,
}

impl World {
    pub fn new(customers: Vec<InMemoryCustomer>, seed: u64) -> Self {
        let kms = Latency::log_normal(KMS_MEDIAN, SPREAD, LONGEST, seed);
        let dynamodb = Latency::log_normal(DYNAMODB_MEDIAN, SPREAD, LONGEST, seed);
        customers.iter().for_each(|customer| customer.set_latency(kms.clone()));
        let records = InMemoryRecords::new();
        records.set_latency(dynamodb.clone(), dynamodb);
        Self {
            records,
            customers: InMemoryCustomers::new(customers),
        }
    }

    /// The operations in a Region, with nothing in memory yet.
    fn service(
        &self,
        region: Region,
    ) -> Service<GivenPorts<InMemoryRecords, InMemoryCustomers, SystemClock, InMemoryEventBus>> {
        Service {
            ports: GivenPorts {
                store: self.records.clone(),
                customer_keys: self.customers.clone(),
                clock: SystemClock,
                announcer: InMemoryEventBus::default(),
            },
            settings: ServiceSettings::new(region, access_role()),
        }
    }
}

/// One environment of each function.
pub struct Environment {
    pub region: Region,
    pub create_vault: CreateVaultEndpoint<InMemoryRecords, InMemoryCustomers, SystemClock>,
    pub enable_vault: EnableVaultEndpoint<InMemoryRecords, InMemoryCustomers, SystemClock>,
    pub disable_vault: DisableVaultEndpoint<InMemoryRecords, SystemClock>,
    pub encrypt_item: EncryptItemEndpoint<InMemoryRecords, InMemoryRecords, InMemoryCustomers, SystemClock>,
    pub decrypt_item: DecryptItemEndpoint<InMemoryRecords, InMemoryRecords, InMemoryCustomers, SystemClock>,
    pub reassign_item: ReassignItemEndpoint<InMemoryRecords, InMemoryRecords, InMemoryCustomers, SystemClock>,
}

impl Environment {
    /// An environment with nothing in memory yet, as after a cold start.
    pub fn new(world: &World, region: Region) -> Self {
        let service = world.service(region);
        Self {
            region,
            create_vault: CreateVaultEndpoint::from(&service),
            enable_vault: EnableVaultEndpoint::from(&service),
            disable_vault: DisableVaultEndpoint::from(&service),
            encrypt_item: EncryptItemEndpoint::from(&service),
            decrypt_item: DecryptItemEndpoint::from(&service),
            reassign_item: ReassignItemEndpoint::from(&service),
        }
    }
}

fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").expect("valid")
}
