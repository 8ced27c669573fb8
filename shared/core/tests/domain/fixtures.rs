//! A service with one customer: what every test starts from.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::LazyLock;
use std::time::Duration;

use latchkey_core::Error;
use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::findings::Report;
use latchkey_core::health::due::DuePartition;
use latchkey_core::operations::{
    self, CreateVaultCommand, DecryptItem, DecryptItemCommand, DisableMode, EncryptItem, EncryptItemCommand,
    GivenPorts, ItemContext, ServiceSettings, Swept, VaultView,
};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{
    AwsAccountId, CustomerKey, DataKeyCacheBound, KmsKeyId, Region, RequestId, RoleArn, Strategy, VaultId, VaultName,
    WorkspaceId,
};
use latchkey_core::vault::VaultSettings;
use latchkey_in_memory::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RegionOutage, RsaKeyPair};

pub(crate) const ACCESS_ROLE: &str = "arn:aws:iam::111111111111:role/production-kms-byo-key-access-role";
pub(crate) const CUSTOMER_ROLE: &str = "arn:aws:iam::222222222222:role/latchkey-key-access";
pub(crate) const KEY_ID: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";
pub(crate) const WORKSPACE: &str = "ws-acme";

/// The time that a [`request`] has.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(60);

/// The customer's key. All tests share it, because making one takes a while.
pub(crate) static KEY_PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate().unwrap());
/// Somebody else's key.
pub(crate) static OTHER_KEY_PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate().unwrap());

/// The service in both Regions, and a customer whose setup is correct. Its operations run in us-east-2.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) records: InMemoryRecords,
    pub(crate) customer: InMemoryCustomer,
    pub(crate) clock: FakeClock,
    pub(crate) event_bus: InMemoryEventBus,
    operations: operations::Service<InMemoryPorts>,
}

type InMemoryPorts = GivenPorts<InMemoryRecords, InMemoryCustomer, FakeClock, InMemoryEventBus>;

impl Deref for Service {
    type Target = operations::Service<InMemoryPorts>;

    fn deref(&self) -> &Self::Target {
        &self.operations
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        let ports = GivenPorts {
            store: InMemoryRecords::new(),
            customer_keys: InMemoryCustomer::new(customer_key(), &KEY_PAIR, role_arn(CUSTOMER_ROLE), workspace()),
            clock: FakeClock::at("2026-11-23T10:00:00Z".parse().unwrap()),
            announcer: InMemoryEventBus::default(),
        };
        Self {
            records: ports.store.clone(),
            customer: ports.customer_keys.clone(),
            clock: ports.clock.clone(),
            event_bus: ports.announcer.clone(),
            operations: operations::Service {
                ports,
                settings: ServiceSettings::new(Region::UsEast2, role_arn(ACCESS_ROLE)),
            },
        }
    }

    /// The same service with other settings.
    pub(crate) fn with_settings(&self, change: impl FnOnce(&mut ServiceSettings)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.operations.settings);
        changed
    }

    /// A service that has one vault, the default, whose bound is `cache_seconds`.
    pub(crate) async fn with_vault(cache_seconds: u64) -> (Self, VaultId) {
        let service = Self::new();
        let command = CreateVaultCommand {
            settings: settings("Acme", cache_seconds),
            set_as_default: true,
        };
        let (view, _) = service.create(command).await.unwrap();
        (service, view.vault.vault_id)
    }

    /// One sweep of everything that is due.
    pub(crate) async fn sweep(&self) -> Swept {
        let all = DuePartition::of_shard(0, 1);
        self.sweep_vaults().run(&request(), &all, &|_| Ok(())).await.unwrap()
    }

    pub(crate) async fn create(&self, command: CreateVaultCommand) -> Result<(VaultView, Report), Error> {
        self.create_vault().run(&request(), &admin(), command).await
    }

    /// A new execution environment of each item function, in us-east-2; nothing is cached yet.
    pub(crate) fn environment(&self) -> Environment {
        self.environment_in(Region::UsEast2)
    }

    pub(crate) fn environment_in(&self, home: Region) -> Environment {
        self.environment_with(home, RotationLimits::DEFAULT)
    }

    pub(crate) fn environment_with(&self, home: Region, limits: RotationLimits) -> Environment {
        let service = self.with_settings(|settings| {
            settings.region = home;
            settings.rotation_limits = limits;
        });
        Environment::of(&service)
    }

    /// A new execution environment that serves several requests at a time.
    pub(crate) fn environment_shared_by(&self, max_concurrency: usize) -> Environment {
        Environment::of(&self.with_settings(|settings| settings.max_concurrency = max_concurrency))
    }

    pub(crate) fn outage_everywhere(&self, outage: Option<RegionOutage>) {
        for region in Region::ALL {
            self.customer.set_outage(region, outage);
        }
    }

    pub(crate) async fn disable(&self, vault_id: &VaultId, mode: DisableMode) {
        let disabled = self.disable_vault().run(&request(), &admin(), vault_id, mode).await;
        disabled.unwrap();
    }

    pub(crate) fn decrypt_calls(&self) -> usize {
        self.customer.calls_of("kms:Decrypt")
    }
}

/// The item functions, each in its own execution environment, so there are two caches.
pub(crate) struct Environment {
    pub(crate) encrypt: EncryptItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock>,
    pub(crate) decrypt: DecryptItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock>,
}

impl Environment {
    fn of(service: &Service) -> Self {
        Self {
            encrypt: service.encrypt_item(),
            decrypt: service.decrypt_item(),
        }
    }

    /// Seals `item_id` with the plaintext that [`plaintext_of`] gives, in the default vault.
    pub(crate) async fn seal(&self, item_id: &str) -> Result<Vec<u8>, Error> {
        let sealed = self.seal_all(None, &[item_id]).await?;
        Ok(sealed.into_iter().next().unwrap().sealed_item)
    }

    pub(crate) async fn seal_all(
        &self,
        vault_id: Option<&VaultId>,
        item_ids: &[&str],
    ) -> Result<Vec<DecryptItemCommand>, Error> {
        let items = item_ids.iter().copied().map(item_to_seal).collect();
        let sealed = self
            .encrypt
            .run(&request(), &member(), vault_id.cloned(), items)
            .await?
            .items;
        Ok(sealed
            .into_iter()
            .map(|(item_id, sealed)| item_to_open(&item_id, &sealed))
            .collect())
    }

    /// Opens one item.
    pub(crate) async fn open(&self, item_id: &str, sealed_item: &[u8]) -> Result<Vec<u8>, Error> {
        self.open_as(&member(), item_to_open(item_id, sealed_item)).await
    }

    pub(crate) async fn open_as(&self, caller: &Caller, item: DecryptItemCommand) -> Result<Vec<u8>, Error> {
        let opened = self.decrypt.run(&request(), caller, vec![item]).await;
        let item = opened.into_iter().next().unwrap();
        item.outcome.map(|plaintext| plaintext.as_bytes().to_vec())
    }

    pub(crate) async fn open_all(&self, items: Vec<DecryptItemCommand>) -> Vec<Result<Vec<u8>, Error>> {
        let opened = self.decrypt.run(&request(), &member(), items).await;
        opened
            .into_iter()
            .map(|item| item.outcome.map(|plaintext| plaintext.as_bytes().to_vec()))
            .collect()
    }
}

pub(crate) fn plaintext_of(item_id: &str) -> Vec<u8> {
    format!("canary of {item_id}").into_bytes()
}

pub(crate) fn item_to_seal(item_id: &str) -> EncryptItemCommand {
    EncryptItemCommand {
        item_id: item_id.to_owned(),
        context: item_context("ann"),
        plaintext: plaintext_of(item_id).into(),
    }
}

pub(crate) fn item_to_open(item_id: &str, sealed_item: &[u8]) -> DecryptItemCommand {
    DecryptItemCommand {
        item_id: item_id.to_owned(),
        context: item_context("ann"),
        sealed_item: sealed_item.to_vec(),
    }
}

pub(crate) fn item_context(owner: &str) -> ItemContext {
    BTreeMap::from([("owner".to_owned(), owner.to_owned())])
}

pub(crate) fn request() -> RequestContext {
    RequestContext::new(RequestId::generate(), REQUEST_TIME)
}

pub(crate) fn admin() -> Caller {
    caller(WORKSPACE, WorkspaceRole::Admin)
}

pub(crate) fn member() -> Caller {
    caller(WORKSPACE, WorkspaceRole::Member)
}

pub(crate) fn caller(workspace_id: &str, role: WorkspaceRole) -> Caller {
    Caller {
        workspace_id: WorkspaceId::parse(workspace_id).unwrap(),
        role,
        subject: "user-1".to_owned(),
    }
}

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId::parse(WORKSPACE).unwrap()
}

pub(crate) fn role_arn(text: &str) -> RoleArn {
    RoleArn::parse(text).unwrap()
}

pub(crate) fn customer_key() -> CustomerKey {
    CustomerKey {
        account_id: AwsAccountId::parse("222222222222").unwrap(),
        key_id: KmsKeyId::parse(KEY_ID).unwrap(),
    }
}

pub(crate) fn settings(name: &str, cache_seconds: u64) -> VaultSettings {
    VaultSettings {
        name: VaultName::parse(name).unwrap(),
        strategy: Strategy::AwsKms,
        customer_key: customer_key(),
        aws_role_arn: role_arn(CUSTOMER_ROLE),
        data_key_cache: DataKeyCacheBound::from_seconds(cache_seconds).unwrap(),
    }
}

pub(crate) fn command(name: &str) -> CreateVaultCommand {
    CreateVaultCommand {
        settings: settings(name, 30),
        set_as_default: true,
    }
}
