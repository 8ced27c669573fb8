//! Every operation is killed at each of its calls to the outside, before the call is made and after it has taken
//! effect. Then it is repeated, in either Region. docs/crashes.md says what must hold.
//!
//! DynamoDB is a real one, and each request to it is a call. For the customer's key and role and for the event bus,
//! each call of the port is one. To find how many calls an operation makes, it is run until nothing kills it any more.

use latchkey_core::operations::DisableMode;
use latchkey_core::values::Region;
use latchkey_in_memory::{Death, Process};

use crate::invariants::{assert_events_tell, assert_every_item_opens, assert_never_wrong, assert_tidy};
use crate::scenarios::Scenario;
use crate::service::World;

/// Kills the operation at its `nth` call and repeats it in each of `regions`. Returns `false` if there is no such call.
/// A call that is given up before its answer cannot kill the operation after its answer.
async fn dies_and_is_repeated(scenario: Scenario, nth: usize, death: Death, regions: [Region; 2]) -> bool {
    let world = World::new().await;
    let before = scenario.prepare(&world).await;
    let process = Process::killed_at(nth, death);
    let environment = world.environment_of(&process, Region::UsEast2);
    let answered = process.run(scenario.ask(&environment, &before)).await;
    assert!(answered.is_none() || death == Death::After || process.calls() < nth);
    drop(environment);
    assert_never_wrong(&world).await;
    for region in regions {
        world.a_minute_passes();
        scenario.ask(&world.environment(region), &before).await;
        assert_tidy(&world).await;
        scenario.assert_done(&world, &before).await;
    }
    let (changes, reminders) = scenario.told();
    assert_events_tell(&world, changes, reminders).await;
    assert_every_item_opens(&world).await;
    process.calls() >= nth
}

async fn assert_survives_every_death(scenario: Scenario, at_least: usize) {
    let [home, other] = Region::ALL;
    for (death, regions) in [(Death::Before, [home, other]), (Death::After, [other, home])] {
        let mut nth = 1;
        while dies_and_is_repeated(scenario, nth, death, regions).await {
            nth += 1;
        }
        assert!(
            nth > at_least,
            "{scenario:?} makes more than {nth} calls to the outside"
        );
    }
}

macro_rules! every_death {
    ($($test:ident: $scenario:expr, $at_least:literal;)*) => {$(
        #[tokio::test]
        async fn $test() {
            assert_survives_every_death($scenario, $at_least).await;
        }
    )*};
}

// The number is the least number of calls that the operation makes, so that no test comes to test nothing.
every_death! {
    create_vault_survives_every_death: Scenario::Create, 15;
    create_vault_of_a_second_default_survives_every_death: Scenario::CreateSecond, 15;
    update_vault_survives_every_death: Scenario::Update, 8;
    update_vault_that_ends_a_default_survives_every_death: Scenario::UndoDefault, 4;
    disable_vault_survives_every_death: Scenario::Disable(DisableMode::Disabled), 5;
    disable_vault_to_decrypt_only_survives_every_death: Scenario::Disable(DisableMode::DecryptOnly), 5;
    enable_vault_survives_every_death: Scenario::Enable(DisableMode::Disabled), 15;
    enable_vault_from_decrypt_only_survives_every_death: Scenario::Enable(DisableMode::DecryptOnly), 15;
    validate_vault_survives_every_death: Scenario::Validate, 13;
    a_sweep_with_events_to_announce_survives_every_death: Scenario::Sweep, 20;
    a_sweep_that_finds_a_key_mended_survives_every_death: Scenario::SweepMended, 20;
    encrypt_item_under_a_new_data_key_survives_every_death: Scenario::Encrypt, 4;
    encrypt_item_that_is_refused_survives_every_death: Scenario::EncryptRefused, 4;
    decrypt_item_survives_every_death: Scenario::Decrypt, 3;
    decrypt_item_whose_key_was_mended_survives_every_death: Scenario::DecryptMended, 4;
    reassign_item_survives_every_death: Scenario::Reassign, 6;
    list_vaults_survives_every_death: Scenario::List, 2;
}
