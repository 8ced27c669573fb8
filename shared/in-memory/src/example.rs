//! What the examples in the operations' documentation start from.

use core::time::Duration;
use std::error::Error;

use super::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RsaKeyPair};
use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::operations::{CreateVaultCommand, GivenPorts, Service, ServiceSettings};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{
    AwsAccountId, CustomerKey, DataKeyCacheBound, KmsKeyId, Region, RequestId, RoleArn, Strategy, VaultId, VaultName,
    WorkspaceId,
};
use latchkey_core::vault::VaultSettings;

/// The service in us-east-2, and one customer whose key and role are set up correctly.
pub struct Example {
    /// The service's records.
    pub records: InMemoryRecords,
    /// The customer's account.
    pub customer: InMemoryCustomer,
    /// The time.
    pub clock: FakeClock,
    /// Where changes of health are announced.
    pub event_bus: InMemoryEventBus,
    /// An admin of the customer's workspace.
    pub admin: Caller,
    /// The service's role that the customer trusts.
    pub access_role: RoleArn,
    /// The customer's request: to create a vault that becomes the default.
    pub command: CreateVaultCommand,
}

impl Example {
    /// An example with nothing on record yet.
    ///
    /// # Errors
    /// If no RSA key can be made.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let workspace_id = WorkspaceId::parse("ws-acme")?;
        let customer_key = CustomerKey {
            account_id: AwsAccountId::parse("222222222222")?,
            key_id: KmsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab")?,
        };
        let aws_role_arn = RoleArn::parse("arn:aws:iam::222222222222:role/latchkey-key-access")?;
        Ok(Self {
            records: InMemoryRecords::new(),
            customer: InMemoryCustomer::new(
                customer_key.clone(),
                &RsaKeyPair::generate()?,
                aws_role_arn.clone(),
                workspace_id.clone(),
            ),
            clock: FakeClock::at("2026-11-23T10:00:00Z".parse()?),
            event_bus: InMemoryEventBus::default(),
            admin: Caller {
                workspace_id,
                role: WorkspaceRole::Admin,
                subject: "user-1".to_owned(),
            },
            access_role: RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role")?,
            command: CreateVaultCommand {
                settings: VaultSettings {
                    name: VaultName::parse("Acme")?,
                    strategy: Strategy::AwsKms,
                    customer_key,
                    aws_role_arn,
                    data_key_cache: DataKeyCacheBound::from_seconds(30)?,
                },
                set_as_default: true,
            },
        })
    }

    /// An example in which that vault is created already.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn with_vault() -> Result<(Self, VaultId), Box<dyn Error>> {
        let example = Self::new()?;
        let create_vault = example.service().create_vault();
        let created = create_vault
            .run(&example.request(), &example.admin, example.command.clone())
            .await?;
        Ok((example, created.0.vault.vault_id))
    }

    /// A request with a deadline in one minute.
    pub fn request(&self) -> RequestContext {
        RequestContext::new(RequestId::generate(), Duration::from_secs(60))
    }

    /// The service in us-east-2. Each call makes a new execution environment, with nothing cached yet.
    pub fn service(&self) -> Service<GivenPorts<InMemoryRecords, InMemoryCustomer, FakeClock, InMemoryEventBus>> {
        Service {
            ports: GivenPorts {
                store: self.records.clone(),
                customer_keys: self.customer.clone(),
                clock: self.clock.clone(),
                announcer: self.event_bus.clone(),
            },
            settings: ServiceSettings::new(Region::UsEast2, self.access_role.clone()),
        }
    }
}
