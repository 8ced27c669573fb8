//! A request to DynamoDB takes effect, but its answer is lost. The SDK sends it again, and the condition now fails on
//! our own write. Every operation answers as if nothing had happened.

use latchkey_core::operations::DisableMode;
use latchkey_core::values::Region;
use latchkey_in_memory::Process;

use crate::invariants::{assert_events_tell, assert_every_item_opens, assert_tidy};
use crate::scenarios::Scenario;
use crate::service::World;
use crate::wire::{Loss, Wire};

/// Runs the operation and loses the answer to its `nth` request. Returns `false` if there was no such request.
async fn loses_an_answer(scenario: Scenario, nth: usize, loss: Loss) -> bool {
    let world = World::new().await;
    let before = scenario.prepare(&world).await;
    let wire = Wire::losing(nth, loss);
    let environment = world.environment_over(&wire, &Process::default(), Region::UsEast2);
    scenario.ask(&environment, &before).await;
    assert_tidy(&world).await;
    scenario.assert_done(&world, &before).await;
    let (changes, reminders) = scenario.told();
    assert_events_tell(&world, changes, reminders).await;
    assert_every_item_opens(&world).await;
    wire.sent() >= nth
}

#[tokio::test]
async fn no_operation_takes_its_own_write_for_anothers() {
    for scenario in [
        Scenario::Create,
        Scenario::CreateSecond,
        Scenario::Update,
        Scenario::UndoDefault,
        Scenario::Disable(DisableMode::Disabled),
        Scenario::Disable(DisableMode::DecryptOnly),
        Scenario::Enable(DisableMode::Disabled),
        Scenario::Validate,
        Scenario::Sweep,
        Scenario::SweepMended,
        Scenario::Encrypt,
        Scenario::EncryptRefused,
        Scenario::Decrypt,
        Scenario::DecryptMended,
        Scenario::Reassign,
        Scenario::List,
    ] {
        let mut nth = 1;
        let mut losses = [Loss::Reset, Loss::ServerError].into_iter().cycle();
        while loses_an_answer(scenario, nth, losses.next().expect("endless")).await {
            nth += 1;
        }
        assert!(nth > 2, "{scenario:?} sends requests");
    }
}
