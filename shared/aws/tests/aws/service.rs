//! The whole service, with its records in a DynamoDB and one customer. Any process runs any operation in any Region.

use std::ops::Deref;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use latchkey_aws::vault_records::VaultRecords;
use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::operations::{DecryptItemCommand, GivenPorts, Service, ServiceSettings};
use latchkey_core::values::{Region, RoleArn};
use latchkey_in_memory::{
    FakeClock, InMemoryCustomer, InMemoryCustomers, InMemoryEventBus, KeyState, OfProcess, Process, RsaKeyPair,
};

use crate::fixtures::{ACCESS_ROLE, CUSTOMER_ROLE, customer_key, workspace};
use crate::local_dynamodb::LocalDynamoDb;
use crate::record_fixtures::at;
use crate::wire::Wire;

/// The customer's key. All tests share it, because it takes a while to make one.
static KEY_PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate().expect("a key pair"));

/// Everything that outlives the processes.
pub(crate) struct World {
    pub(crate) db: LocalDynamoDb,
    pub(crate) customer: InMemoryCustomer,
    managed: Option<InMemoryCustomer>,
    pub(crate) event_bus: InMemoryEventBus,
    pub(crate) clock: FakeClock,
    answered: Mutex<Vec<DecryptItemCommand>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let role = RoleArn::parse(CUSTOMER_ROLE).expect("valid");
        let customer = InMemoryCustomer::new(customer_key(), &KEY_PAIR, role, workspace("ws-acme"));
        Self::of(customer, None, at("2026-11-24T10:00:00Z")).await
    }

    /// A world with this customer and, if there are managed vaults, the service's own key.
    pub(crate) async fn of(customer: InMemoryCustomer, managed: Option<InMemoryCustomer>, now: Timestamp) -> Self {
        Self {
            db: LocalDynamoDb::start().await,
            customer,
            managed,
            event_bus: InMemoryEventBus::default(),
            clock: FakeClock::at(now),
            answered: Mutex::default(),
        }
    }

    /// A new execution environment of every function, in a process that nothing kills.
    pub(crate) fn environment(&self, home: Region) -> Environment<'_> {
        self.environment_of(&Process::default(), home)
    }

    /// A new execution environment of every function in this process.
    pub(crate) fn environment_of(&self, process: &Process, home: Region) -> Environment<'_> {
        self.environment_over(&Wire::of(process), process, home)
    }

    /// A new execution environment of every function, whose requests to DynamoDB go over this wire.
    pub(crate) fn environment_over(&self, wire: &Wire, process: &Process, home: Region) -> Environment<'_> {
        let records = self.db.records_over(wire, home);
        let customers = self.managed.iter().chain([&self.customer]).cloned();
        let access_role = RoleArn::parse(ACCESS_ROLE).expect("valid");
        Environment {
            world: self,
            operations: Service {
                ports: GivenPorts {
                    store: records,
                    customer_keys: process.using(InMemoryCustomers::new(customers)),
                    clock: self.clock.clone(),
                    announcer: process.using(self.event_bus.clone()),
                },
                settings: ServiceSettings::new(home, access_role),
            },
        }
    }

    pub(crate) fn set_key_state(&self, state: KeyState) {
        self.customer.change_key(|key| key.state = state);
    }

    /// Lets a minute pass, so that every vault that was due is due again, even if it was claimed.
    pub(crate) fn a_minute_passes(&self) {
        self.clock.advance(Duration::from_secs(61));
    }

    /// Notes items that a caller was given.
    pub(crate) fn note_answered(&self, items: impl IntoIterator<Item = DecryptItemCommand>) {
        self.answered.lock().expect("not poisoned").extend(items);
    }

    /// Every item that any caller was ever given.
    pub(crate) fn answered(&self) -> Vec<DecryptItemCommand> {
        self.answered.lock().expect("not poisoned").clone()
    }
}

/// Execution environments of all functions in one process; nothing is cached yet.
pub(crate) struct Environment<'a> {
    pub(crate) world: &'a World,
    operations: Service<PortsOfProcess>,
}

type PortsOfProcess = GivenPorts<VaultRecords, OfProcess<InMemoryCustomers>, FakeClock, OfProcess<InMemoryEventBus>>;

impl Deref for Environment<'_> {
    type Target = Service<PortsOfProcess>;

    fn deref(&self) -> &Self::Target {
        &self.operations
    }
}

pub(crate) fn admin() -> Caller {
    Caller {
        workspace_id: workspace("ws-acme"),
        role: WorkspaceRole::Admin,
        subject: "user-1".to_owned(),
    }
}
