//! Random operations of several callers at once, in random order between any two of their reads and writes, some of which
//! die half-way: whatever happens, the invariants of docs/lifecycle.md hold at every moment.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use latchkey_core::Error;
use latchkey_core::in_memory::WriteFault;
use latchkey_core::operations::{CreateVaultCommand, DisableMode, UpdateVaultCommand};
use latchkey_core::ports::{NameClaim, VaultStore};
use latchkey_core::precondition::{Precondition, VaultTag};
use latchkey_core::vault::{DataKeyCacheBound, Vault, VaultId, VaultName, VaultStatus};
use proptest::prelude::*;

use crate::fixtures::{Environment, Service, admin, command, item_to_seal, member, request, settings, workspace};
use crate::lifecycle::{assert_never_wrong, assert_tidy};

const NAMES: [&str; 5] = ["One", "Two", "TWO", "Three", "Four"];

#[derive(Clone, Debug)]
enum Operation {
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

fn operation() -> impl Strategy<Value = Operation> {
    let mode = prop::sample::select(vec![DisableMode::Disabled, DisableMode::DecryptOnly]);
    let bound = prop::sample::select(vec![0_u64, 30, 300]);
    let update = (
        0..3_usize,
        prop::option::of(0..NAMES.len()),
        prop::option::of(any::<bool>()),
        prop::option::weighted(0.3, bound),
        any::<bool>(),
    );
    prop_oneof![
        2 => (0..NAMES.len(), any::<bool>()).prop_map(|(name, set_as_default)| Operation::Create { name, set_as_default }),
        6 => update.prop_map(|(vault, name, is_default, bound, careful)| Operation::Update {
            vault, name, is_default, bound, careful,
        }),
        3 => (0..3_usize, mode, any::<bool>()).prop_map(|(vault, mode, careful)| Operation::Disable { vault, mode, careful }),
        3 => (0..3_usize, any::<bool>()).prop_map(|(vault, careful)| Operation::Enable { vault, careful }),
        2 => Just(Operation::SealInDefault),
    ]
}

/// Renamings of one vault, or of two, among few names or many.
fn renamings() -> impl Strategy<Value = Vec<Operation>> {
    let sizes = (1..=2_usize, 1..=NAMES.len());
    sizes.prop_flat_map(|(vaults, names)| {
        let renaming = (0..vaults, NAMES.len() - names..NAMES.len(), any::<bool>());
        let renaming = renaming.prop_map(|(vault, name, careful)| Operation::Update {
            vault,
            name: Some(name),
            is_default: None,
            bound: None,
            careful,
        });
        prop::collection::vec(renaming, 2..6)
    })
}

/// A vault, made once: it takes a while.
static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let (view, _) = now(Service::new().create(command("Any"))).unwrap();
    view.vault
});

/// The service, and the state in which its callers last saw each vault.
struct World {
    service: Service,
    environment: Environment,
    seen: RefCell<Vec<(VaultId, VaultTag)>>,
}

impl World {
    async fn new() -> Self {
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

    /// A vault as create-vault leaves it.
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

    async fn create(&self, name: &str, set_as_default: bool) -> Result<(), Error> {
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

    fn vault(&self, number: usize, careful: bool) -> (VaultId, Precondition) {
        let seen = self.seen.borrow();
        let (vault_id, tag) = seen[number % seen.len()].clone();
        let precondition = if careful {
            Precondition::OneOf(vec![tag])
        } else {
            Precondition::None
        };
        (vault_id, precondition)
    }

    async fn run(&self, operation: &Operation) -> Result<(), Error> {
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
}

/// What an operation may answer when others are at work at the same time.
fn assert_expected(outcome: &Result<(), Error>, operation: &Operation) {
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

type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// How long one of the callers goes on while the others stand still: for so many of its reads and writes.
#[derive(Clone, Copy, Debug)]
struct Turn {
    caller: usize,
    steps: usize,
    dies: bool,
}

fn turns(deaths: f64) -> impl Strategy<Value = Vec<Turn>> {
    let steps = prop_oneof![3 => 1..4_usize, 3 => 4..12_usize, 1 => Just(1_000)];
    let turn = (0..6_usize, steps, prop::bool::weighted(deaths));
    let turn = turn.prop_map(|(caller, steps, dies)| Turn { caller, steps, dies });
    prop::collection::vec(turn, 4..40)
}

/// Lets the callers go on in turns: the ports give way before each of their reads and writes. Who dies is dropped where it
/// stands.
async fn interleave(world: &World, operations: &[Operation], turns: &[Turn]) {
    let work = |(number, operation)| (number, Box::pin(world.run(operation)) as Work<'_>);
    let mut under_way: Vec<(usize, Work<'_>)> = operations.iter().enumerate().map(work).collect();
    let mut context = Context::from_waker(Waker::noop());
    for (count, turn) in turns.iter().cycle().take(10_000).enumerate() {
        if under_way.is_empty() {
            return;
        }
        // Each time round, the same turns are another's: who waits for another's call to KMS must not have them all.
        let place = (turn.caller + count / turns.len()) % under_way.len();
        let mut is_over = turn.dies;
        for _ in 0..turn.steps {
            let (number, work) = &mut under_way[place];
            if let Poll::Ready(outcome) = work.as_mut().poll(&mut context) {
                assert_expected(&outcome, &operations[*number]);
                is_over = true;
                break;
            }
            now(assert_never_wrong(&world.service.records));
        }
        if is_over {
            drop(under_way.swap_remove(place));
        }
        // The runtime gives each of its own turns a budget.
        tokio::task::yield_now().await;
    }
    panic!("it comes to an end");
}

/// On this thread, without a runtime's own order.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
    }
}

fn on_paused_clock(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn callers_at_the_same_time_leave_nothing_wrong(
        rounds in prop::collection::vec(prop::collection::vec(operation(), 2..6), 1..4),
        turns in turns(0.0),
    ) {
        on_paused_clock(async {
            let world = World::new().await;
            for operations in &rounds {
                interleave(&world, operations, &turns).await;
                assert_tidy(&world.service.records).await;
            }
        });
    }

    #[test]
    fn callers_that_die_anywhere_leave_nothing_wrong_and_every_retry_completes(
        operations in prop::collection::vec(operation(), 2..6),
        turns in turns(0.1),
    ) {
        on_paused_clock(async {
            let world = World::new().await;
            interleave(&world, &operations, &turns).await;
            for operation in &operations {
                let outcome = world.run(operation).await;
                assert_expected(&outcome, operation);
                assert_never_wrong(&world.service.records).await;
            }
            // Whatever the dead have left behind, no name is lost and no vault stuck.
            every_vault_can_still_live(&world).await;
            assert_tidy(&world.service.records).await;
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Names are where most writes meet: nothing else here, so many more cases.
    #[test]
    fn callers_that_rename_at_the_same_time_leave_nothing_wrong(
        operations in renamings(),
        turns in turns(0.05),
    ) {
        on_paused_clock(async {
            let world = World::new().await;
            interleave(&world, &operations, &turns).await;
            assert_never_wrong(&world.service.records).await;
        });
    }
}

/// Each vault takes each step of its life, by callers who read it first.
async fn every_vault_can_still_live(world: &World) {
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
    // Every name that vaults have had is free again, whoever died on it, unless a creation holds it that never ended:
    // that is completed by creating it.
    for name in ["One", "Two", "Three", "Four"] {
        world.service.create(command(name)).await.unwrap();
    }
}

/// The operations whose every write is made to fail.
fn operations_to_break() -> Vec<Operation> {
    let rename = |is_default, careful| Operation::Update {
        vault: 0,
        name: Some(3),
        is_default,
        bound: Some(5),
        careful,
    };
    let default = |is_default, careful| Operation::Update {
        vault: 0,
        name: None,
        is_default: Some(is_default),
        bound: None,
        careful,
    };
    let disable = |vault, mode, careful| Operation::Disable { vault, mode, careful };
    vec![
        Operation::Create {
            name: 3,
            set_as_default: true,
        },
        rename(None, false),
        rename(None, true),
        rename(Some(true), false),
        rename(Some(true), true),
        default(true, true),
        default(false, false),
        disable(0, DisableMode::Disabled, false),
        disable(0, DisableMode::Disabled, true),
        disable(0, DisableMode::DecryptOnly, true),
        Operation::Enable {
            vault: 2,
            careful: false,
        },
        Operation::Enable {
            vault: 2,
            careful: true,
        },
    ]
}

/// Vault 0 is active, vault 1 the default, and vault 2 disabled in spite of a default that a crash has left on it.
async fn world_to_break(operation: &Operation) -> World {
    let world = World::new().await;
    let mut precious = 1;
    if matches!(operation, Operation::Enable { .. }) {
        world.create("To enable", true).await.unwrap();
        world.service.records.order_write_fault(2, WriteFault::CrashesBefore);
        let disable = Operation::Disable {
            vault: 2,
            mode: DisableMode::Disabled,
            careful: false,
        };
        let died = tokio::time::timeout(std::time::Duration::from_secs(1), world.run(&disable)).await;
        assert!(died.is_err());
        world.see_anew().await;
        precious = 2;
    } else {
        let default = Operation::Update {
            vault: 1,
            name: None,
            is_default: Some(true),
            bound: None,
            careful: false,
        };
        world.run(&default).await.unwrap();
    }
    let default = world.service.records.default_vault_id(&workspace()).await.unwrap();
    assert_eq!(default, Some(world.vault(precious, false).0));
    world
}

impl World {
    async fn see_anew(&self) {
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

/// How the vaults are, but for the times and the versions, which a retry may count once more.
async fn told(world: &World) -> Vec<String> {
    let mut told = Vec::new();
    for vault in world.service.records.vaults(&workspace()) {
        let view = world
            .service
            .list_vaults()
            .read(&request(), &admin(), &vault.vault_id)
            .await
            .unwrap();
        told.push(format!(
            "{:?} {:?} {:?} {}",
            vault.name, vault.status, vault.data_key_cache, view.is_default
        ));
    }
    told
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_dies_or_fails_at_any_of_its_writes_is_completed_by_its_retry() {
    for operation in operations_to_break() {
        let whole = world_to_break(&operation).await;
        let before = told(&whole).await;
        whole.run(&operation).await.unwrap();
        let wanted = told(&whole).await;
        if matches!(operation, Operation::Enable { .. }) {
            let default = whole.service.records.default_vault_id(&workspace()).await;
            assert_eq!(default, Ok(None), "nobody has asked for a default");
        }
        assert!(
            wanted != before
                || matches!(
                    operation,
                    Operation::Update {
                        is_default: Some(false),
                        ..
                    }
                ),
            "{operation:?}"
        );
        let mut writes = 0;
        loop {
            let nth = writes + 1;
            let mut struck = false;
            for fault in [
                WriteFault::FailsBefore,
                WriteFault::FailsAfter,
                WriteFault::CrashesBefore,
                WriteFault::CrashesAfter,
            ] {
                let world = world_to_break(&operation).await;
                world.service.records.order_write_fault(nth, fault);
                let seen = world.seen.borrow().clone();
                let first = tokio::time::timeout(std::time::Duration::from_secs(1), world.run(&operation)).await;
                struck |= !world.service.records.awaits_write_fault();
                drop(first);
                assert_never_wrong(&world.service.records).await;
                // The retry is the same request, down to its precondition.
                *world.seen.borrow_mut() = seen;
                world
                    .service
                    .records
                    .order_write_fault(usize::MAX, WriteFault::FailsBefore);
                let retried = world.run(&operation).await;
                assert!(retried.is_ok(), "{operation:?}, write {nth}, {fault:?}: {retried:?}");
                assert_eq!(told(&world).await, wanted, "{operation:?}, write {nth}, {fault:?}");
                assert_tidy(&world.service.records).await;
                now(every_vault_can_still_live(&world));
            }
            if !struck {
                break;
            }
            writes = nth;
        }
        assert!(writes >= 1, "{operation:?} writes");
    }
}
