//! Random operations of several callers at once, in random order between any two of their reads and writes, some of which
//! die half-way: whatever happens, the invariants of docs/lifecycle.md hold at every moment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use latchkey_core::Error;
use latchkey_core::in_memory::WriteFault;
use latchkey_core::operations::{CreateVaultCommand, DisableMode, UpdateVaultCommand};
use latchkey_core::ports::VaultStore;
use latchkey_core::precondition::{Precondition, VaultTag};
use latchkey_core::vault::{DataKeyCacheBound, VaultId, VaultName, VaultStatus};
use proptest::prelude::*;

use crate::fixtures::{Environment, Service, admin, command, item_to_seal, member, request, settings, workspace};
use crate::lifecycle::{assert_never_wrong, assert_tidy};

const NAMES: [&str; 4] = ["One", "Two", "Three", "TWO"];

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
            world.create(name, false).await.unwrap();
        }
        world
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

/// Lets the callers go on one step at a time, in the order that `turns` says: the ports give way before each of their
/// reads and writes. Who is to die is dropped where it stands.
fn interleave(
    world: &World,
    operations: &[Operation],
    turns: &[u8],
    deaths: &BTreeSet<usize>,
    records_hold: impl Fn(),
) {
    let mut under_way: Vec<(usize, Work<'_>)> = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        under_way.push((number, Box::pin(world.run(operation))));
    }
    let mut context = Context::from_waker(Waker::noop());
    for turn in turns.iter().cycle().enumerate() {
        let (count, turn) = (turn.0, usize::from(*turn.1));
        if under_way.is_empty() {
            return;
        }
        assert!(count < 100_000, "it comes to an end");
        // Not always the same ones: the turns that are over are added to the number.
        let place = (turn + count / turns.len()) % under_way.len();
        let (number, work) = &mut under_way[place];
        let number = *number;
        let dies = deaths.contains(&count);
        match work.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => {
                assert_expected(&outcome, &operations[number]);
                drop(under_way.swap_remove(place));
            }
            Poll::Pending if dies => drop(under_way.swap_remove(place)),
            Poll::Pending => {}
        }
        records_hold();
    }
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
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn callers_at_the_same_time_leave_nothing_wrong(
        rounds in prop::collection::vec(prop::collection::vec(operation(), 2..6), 1..4),
        turns in prop::collection::vec(any::<u8>(), 8..64),
    ) {
        on_paused_clock(async {
            let world = World::new().await;
            let records = world.service.records.clone();
            for operations in &rounds {
                interleave(&world, operations, &turns, &BTreeSet::new(), || now(assert_never_wrong(&records)));
                now(assert_tidy(&records));
            }
        });
    }

    #[test]
    fn callers_that_die_anywhere_leave_nothing_wrong_and_every_retry_completes(
        operations in prop::collection::vec(operation(), 2..6),
        turns in prop::collection::vec(any::<u8>(), 8..64),
        deaths in prop::collection::btree_set(0..200_usize, 1..6),
    ) {
        on_paused_clock(async {
            let world = World::new().await;
            let records = world.service.records.clone();
            interleave(&world, &operations, &turns, &deaths, || now(assert_never_wrong(&records)));
            for operation in &operations {
                let outcome = now(world.run(operation));
                assert_expected(&outcome, operation);
                now(assert_never_wrong(&records));
            }
            // Whatever the dead have left behind, no name is lost and no vault stuck.
            now(every_vault_can_still_live(&world));
            now(assert_tidy(&records));
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
    for name in &NAMES[..3] {
        world.service.create(command(name)).await.unwrap();
    }
}

/// The operations whose every write is made to fail.
fn operations_to_break() -> Vec<Operation> {
    let rename = |is_default, careful| Operation::Update {
        vault: 0,
        name: Some(2),
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
            name: 2,
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
