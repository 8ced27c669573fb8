//! Execution environments, wired as the functions' `main` wires them, and the world that they work in.

use core::time::Duration;

use latchkey_core::data_keys::DataKeys;
use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::operations::{
    CreateVault, DecryptItem, DisableVault, EnableVault, EncryptItem, ReassignItem, ValidateVault,
};
use latchkey_core::ports::SystemClock;
use latchkey_core::values::{Region, RoleArn};
use latchkey_http::endpoints::{
    CreateVaultEndpoint, DecryptItemEndpoint, DisableVaultEndpoint, EnableVaultEndpoint, EncryptItemEndpoint,
    ReassignItemEndpoint,
};
use latchkey_in_memory::{InMemoryCustomer, InMemoryCustomers, InMemoryRecords, Latency};

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

    fn data_keys(&self, home: Region) -> DataKeys<InMemoryRecords, InMemoryCustomers, SystemClock> {
        DataKeys::new(
            self.records.clone(),
            self.customers.clone(),
            SystemClock,
            home,
            RotationLimits::DEFAULT,
        )
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
        let store = || world.records.clone();
        let encrypt = || EncryptItem {
            store: store(),
            data_keys: world.data_keys(region),
        };
        let decrypt = || DecryptItem {
            store: store(),
            data_keys: world.data_keys(region),
        };
        Self {
            region,
            create_vault: CreateVaultEndpoint(CreateVault {
                store: store(),
                customer_keys: world.customers.clone(),
                clock: SystemClock,
                access_role: access_role(),
                managed_key: None,
                home: region,
            }),
            enable_vault: EnableVaultEndpoint(EnableVault {
                validate_vault: ValidateVault {
                    store: store(),
                    customer_keys: world.customers.clone(),
                    clock: SystemClock,
                    access_role: access_role(),
                    home: region,
                },
            }),
            disable_vault: DisableVaultEndpoint(DisableVault {
                store: store(),
                clock: SystemClock,
            }),
            encrypt_item: EncryptItemEndpoint(encrypt()),
            decrypt_item: DecryptItemEndpoint(decrypt()),
            reassign_item: ReassignItemEndpoint(ReassignItem {
                decrypt: decrypt(),
                encrypt: encrypt(),
            }),
        }
    }
}

fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").expect("valid")
}
