//! Random operations by several callers at once, interleaved at random between any two of their reads and writes, with
//! random crashes. The invariants of docs/lifecycle.md hold at every moment.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use latchkey_core::Error;
use latchkey_core::operations::DisableMode;
use proptest::prelude::*;

use crate::lifecycle::{assert_never_wrong, assert_tidy};
use crate::lifecycle_world::{NAMES, Operation, World, assert_expected, every_vault_can_still_live, now};

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

/// Renames of one vault or of two, among few names or many.
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

type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// How many reads and writes one caller makes while the others stand still.
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

/// Runs the callers in turns; the in-memory ports yield before each read and write. A caller that dies is dropped where
/// it is.
async fn interleave(world: &World, operations: &[Operation], turns: &[Turn]) {
    let work = |(number, operation)| (number, Box::pin(world.run(operation)) as Work<'_>);
    let mut under_way: Vec<(usize, Work<'_>)> = operations.iter().enumerate().map(work).collect();
    let mut context = Context::from_waker(Waker::noop());
    for (count, turn) in turns.iter().cycle().take(10_000).enumerate() {
        if under_way.is_empty() {
            return;
        }
        // Each round assigns the turns to different callers. Otherwise a caller that waits for another's call to KMS
        // could get all of them.
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
        // The runtime gives each task a budget, which yielding renews.
        tokio::task::yield_now().await;
    }
    panic!("it comes to an end");
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
            // Whatever the crashes have left behind, no name is lost and no vault is stuck.
            every_vault_can_still_live(&world).await;
            assert_tidy(&world.service.records).await;
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Most writes conflict on names. With renames alone, many more cases fit.
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
