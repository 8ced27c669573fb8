//! What callers can do to the vaults of a workspace, and which answers they may get.

use std::cell::RefCell;
use std::future::Future;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use latchkey_core::Error;
use latchkey_core::operations::{CreateVaultCommand, DisableMode, UpdateVaultCommand};
use latchkey_core::ports::{NameClaim, VaultStore};
use latchkey_core::values::{DataKeyCacheBound, VaultId, VaultName};
use latchkey_core::vault::{Precondition, Vault, VaultStatus, VaultTag};

use crate::fixtures::{Environment, Service, admin, command, item_to_seal, member, request, settings, workspace};

pub(crate) const NAMES: [&str; 5] = ["One", "Two", "TWO", "Three", "Four"];

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Create {
        name: usize,
        set_as_default: bool,
    },
    Update {
        vault: usize,
        name: Option<usize>,
        is_default: Option<bool>,
        bound: Option<u64>,
        careful: bool,
    },
    Disable {
        vault: usize,
        mode: DisableMode,
        careful: bool,
    },
    Enable {
        vault: usize,
        careful: bool,
    },
    SealInDefault,
}

/// A vault, created once because that takes a while.
static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let (view, _) = now(Service::new().create(command("Any"))).unwrap();
    view.vault
});

/// The service, and the state in which the callers last saw each vault.
pub(crate) struct World {
    pub(crate) service: Service,
    environment: Environment,
    pub(crate) seen: RefCell<Vec<(VaultId, VaultTag)>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let service = Service::new();
        let world = Self {
            environment: service.environment(),
            service,
            seen: RefCell::default(),
        };
        for name in &NAMES[..2] {
            world.put(name).await;
        }
        world
    }

    /// Puts a vault on record as create-vault would leave it.
    async fn put(&self, name: &str) {
        let mut vault = VAULT.clone();
        vault.vault_id = VaultId::generate();
        vault.name = VaultName::parse(name).unwrap();
        let claim = NameClaim {
            vault_id: vault.vault_id.clone(),
            version: vault.version,
        };
        let records = &self.service.records;
        let claimed = records.claim_name(&workspace(), &vault.name, None, &claim).await;
        assert_eq!((claimed, records.insert_vault(&vault).await), (Ok(true), Ok(true)));
        let tag = VaultTag {
            version: vault.version,
            is_default: false,
        };
        self.see(&vault.vault_id, tag);
    }

    pub(crate) async fn create(&self, name: &str, set_as_default: bool) -> Result<(), Error> {
        let command = CreateVaultCommand {
            settings: settings(name, 30),
            set_as_default,
        };
        let (view, _) = self.service.create(command).await?;
        self.see(&view.vault.vault_id, view.tag());
        Ok(())
    }

    fn see(&self, vault_id: &VaultId, tag: VaultTag) {
        let mut seen = self.seen.borrow_mut();
        match seen.iter_mut().find(|(id, _)| id == vault_id) {
            Some((_, last)) => *last = tag,
            None => seen.push((vault_id.clone(), tag)),
        }
    }

    pub(crate) fn vault(&self, number: usize, careful: bool) -> (VaultId, Precondition) {
        let seen = self.seen.borrow();
        let (vault_id, tag) = seen[number % seen.len()].clone();
        let precondition = if careful {
            Precondition::OneOf(vec![tag])
        } else {
            Precondition::None
        };
        (vault_id, precondition)
    }

    pub(crate) async fn run(&self, operation: &Operation) -> Result<(), Error> {
        match operation {
            Operation::Create { name, set_as_default } => self.create(NAMES[*name], *set_as_default).await,
            Operation::Update {
                vault,
                name,
                is_default,
                bound,
                careful,
            } => {
                let (vault_id, precondition) = self.vault(*vault, *careful);
                let asked = UpdateVaultCommand {
                    name: name.map(|name| VaultName::parse(NAMES[name]).unwrap()),
                    is_default: *is_default,
                    data_key_cache: bound.map(|bound| DataKeyCacheBound::from_seconds(bound).unwrap()),
                };
                let update = self.service.update_vault();
                let view = update
                    .run(&request(), &admin(), &vault_id, &asked, &precondition)
                    .await?;
                self.see(&vault_id, view.tag());
                Ok(())
            }
            Operation::Disable { vault, mode, careful } => {
                let (vault_id, precondition) = self.vault(*vault, *careful);
                let disable = self.service.disable_vault();
                let view = disable
                    .run_if(&request(), &admin(), &vault_id, *mode, &precondition)
                    .await?;
                assert!(!view.is_default);
                self.see(&vault_id, view.tag());
                Ok(())
            }
            Operation::Enable { vault, careful } => {
                let (vault_id, precondition) = self.vault(*vault, *careful);
                let enable = self.service.enable_vault();
                let (view, _) = enable.run(&request(), &admin(), &vault_id, &precondition).await?;
                self.see(&vault_id, view.tag());
                Ok(())
            }
            Operation::SealInDefault => {
                let sealed = self
                    .environment
                    .encrypt
                    .run(&request(), &member(), None, vec![item_to_seal("item")])
                    .await;
                sealed.map(drop)
            }
        }
    }

    /// Reads every vault, as callers would before they continue.
    pub(crate) async fn see_anew(&self) {
        for vault in self.service.records.vaults(&workspace()) {
            let view = self
                .service
                .list_vaults()
                .read(&request(), &admin(), &vault.vault_id)
                .await
                .unwrap();
            self.see(&vault.vault_id, view.tag());
        }
    }
}

/// Takes each vault through every step of its life, as callers do that read it first.
pub(crate) async fn every_vault_can_still_live(world: &World) {
    let vaults = world.service.records.vaults(&workspace());
    for (number, vault) in vaults.iter().enumerate() {
        let vault_id = &vault.vault_id;
        let disabled = world
            .service
            .disable_vault()
            .run(&request(), &admin(), vault_id, DisableMode::Disabled)
            .await;
        assert!(!disabled.unwrap().is_default);
        let enabled = world
            .service
            .enable_vault()
            .run(&request(), &admin(), vault_id, &Precondition::None)
            .await;
        assert!(!enabled.unwrap().0.is_default, "enabling makes no default");
        let asked = UpdateVaultCommand {
            name: Some(VaultName::parse(&format!("Last {number}")).unwrap()),
            is_default: Some(true),
            ..UpdateVaultCommand::default()
        };
        let updated = world
            .service
            .update_vault()
            .run(&request(), &admin(), vault_id, &asked, &Precondition::None)
            .await;
        assert!(updated.unwrap().is_default);
    }
    // Every name that a vault had can be used again, whatever crashed on it. An unfinished creation may still hold a
    // name; creating the vault again completes it.
    for name in ["One", "Two", "Three", "Four"] {
        world.service.create(command(name)).await.unwrap();
    }
}

/// Asserts that an operation may give this answer while others run at the same time.
pub(crate) fn assert_expected(outcome: &Result<(), Error>, operation: &Operation) {
    let expected = match outcome {
        Ok(()) => true,
        Err(Error::VaultNameTaken) => matches!(
            operation,
            Operation::Create { .. } | Operation::Update { name: Some(_), .. }
        ),
        Err(Error::WrongVaultStatus { status }) => match operation {
            Operation::Update { is_default, .. } => *is_default == Some(true) && *status != VaultStatus::Active,
            Operation::Disable { mode, .. } => *mode == DisableMode::DecryptOnly && *status == VaultStatus::Disabled,
            _ => false,
        },
        Err(Error::PreconditionFailed) => matches!(
            operation,
            Operation::Update { careful: true, .. }
                | Operation::Disable { careful: true, .. }
                | Operation::Enable { careful: true, .. }
        ),
        Err(Error::VaultChanged) => matches!(operation, Operation::Enable { .. }),
        Err(Error::NoDefaultVault) => matches!(operation, Operation::SealInDefault),
        Err(_) => false,
    };
    assert!(expected, "{operation:?}: {outcome:?}");
}

/// Polls the future to its end on this thread, without a runtime that reorders the work.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
    }
}
