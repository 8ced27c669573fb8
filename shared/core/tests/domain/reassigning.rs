//! Moving items from vault to vault: each opens in the target as in the source, and an item that cannot be moved stops
//! no other.

use std::time::Duration;

use futures::future::{join, join_all};
use latchkey_core::Error;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::customer::Outage;
use latchkey_core::operations::{
    CreateVaultCommand, DecryptItemCommand, DisableMode, ReassignItem, Reassigned, ReassignedItem,
};
use latchkey_core::values::{Region, VaultId};
use latchkey_in_memory::{FakeClock, InMemoryCustomer, InMemoryRecords, KeyState, RegionOutage};

use crate::fixtures::{Service, admin, caller, item_to_open, member, plaintext_of, request, settings};

type Operation = ReassignItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock>;

/// A service with a source vault and a target vault.
async fn two_vaults() -> (Service, VaultId, VaultId) {
    let (service, source) = Service::with_vault(30).await;
    let command = CreateVaultCommand {
        settings: settings("Target", 30),
        set_as_default: false,
    };
    let (target, _) = service.create(command).await.unwrap();
    (service, source, target.vault.vault_id)
}

fn operation(service: &Service) -> Operation {
    service
        .with_settings(|settings| settings.region = Region::UsWest2)
        .reassign_item()
}

async fn reassign(
    service: &Service,
    to: &VaultId,
    items: Vec<DecryptItemCommand>,
) -> Result<Vec<ReassignedItem>, Error> {
    operation(service).run(&request(), &member(), to, items, false).await
}

fn outcome(items: &[ReassignedItem], place: usize) -> &Reassigned {
    items[place].outcome.as_ref().unwrap()
}

#[tokio::test]
async fn items_are_resealed_in_the_target_and_open_there_alone() {
    let (service, source, target) = two_vaults().await;
    let items = service
        .environment()
        .seal_all(Some(&source), &["a", "b", "c"])
        .await
        .unwrap();
    let calls = service.decrypt_calls();
    let reassigned = reassign(&service, &target, items.clone()).await.unwrap();
    assert_eq!(
        service.decrypt_calls() - calls,
        2,
        "one for the source's data key, one for the target's"
    );
    service.disable(&source, DisableMode::Disabled).await;
    for (place, item) in items.iter().enumerate() {
        let Reassigned::Moved(bytes) = outcome(&reassigned, place) else {
            panic!("moved");
        };
        assert_eq!(reassigned[place].item_id, item.item_id);
        let opened = service.environment().open(&item.item_id, bytes).await.unwrap();
        assert_eq!(opened, plaintext_of(&item.item_id));
        let old = service.environment().open(&item.item_id, &item.sealed_item).await;
        assert!(matches!(old, Err(Error::WrongVaultStatus { .. })));
    }
}

#[tokio::test]
async fn repeating_changes_nothing() {
    let (service, source, target) = two_vaults().await;
    let items = service.environment().seal_all(Some(&source), &["a"]).await.unwrap();
    let first = reassign(&service, &target, items).await.unwrap();
    let Reassigned::Moved(bytes) = outcome(&first, 0).clone() else {
        panic!("moved");
    };
    let again = reassign(&service, &target, vec![item_to_open("a", &bytes)])
        .await
        .unwrap();
    assert_eq!(outcome(&again, 0), &Reassigned::Unchanged(bytes.clone()));
    let mut altered = bytes;
    *altered.last_mut().unwrap() ^= 1;
    let altered = reassign(&service, &target, vec![item_to_open("a", &altered)])
        .await
        .unwrap();
    assert!(
        matches!(altered[0].outcome, Err(Error::ItemDoesNotOpen(_))),
        "what is there is opened all the same"
    );
}

#[tokio::test]
async fn a_dry_run_opens_and_seals_nothing() {
    let (service, source, target) = two_vaults().await;
    let items = service
        .environment()
        .seal_all(Some(&source), &["a", "b"])
        .await
        .unwrap();
    let keys = service.records.data_keys().len();
    let mut with_another = items;
    with_another.push(item_to_open("c", b"no item"));
    let operation = operation(&service);
    let said = operation
        .run(&request(), &member(), &target, with_another, true)
        .await
        .unwrap();
    assert_eq!(
        (outcome(&said, 0), outcome(&said, 1)),
        (&Reassigned::WouldMove, &Reassigned::WouldMove)
    );
    assert!(matches!(said[2].outcome, Err(Error::ItemDoesNotOpen(_))));
    assert_eq!(service.records.data_keys().len(), keys, "not even a data key was made");
}

/// The source may be decrypt-only, because that is what it is while items are moved out of it.
#[tokio::test]
async fn one_items_failure_is_its_own() {
    let (service, source, target) = two_vaults().await;
    let mut items = service
        .environment()
        .seal_all(Some(&source), &["a", "b"])
        .await
        .unwrap();
    let closed = CreateVaultCommand {
        settings: settings("Closed", 30),
        set_as_default: false,
    };
    let closed = service.create(closed).await.unwrap().0.vault.vault_id;
    items.extend(service.environment().seal_all(Some(&closed), &["c"]).await.unwrap());
    items.push(item_to_open("another id", &items[0].sealed_item));
    service.disable(&source, DisableMode::DecryptOnly).await;
    service.disable(&closed, DisableMode::Disabled).await;
    let reassigned = reassign(&service, &target, items).await.unwrap();
    assert!(matches!(outcome(&reassigned, 0), Reassigned::Moved(_)));
    assert!(matches!(outcome(&reassigned, 1), Reassigned::Moved(_)));
    assert!(matches!(reassigned[2].outcome, Err(Error::WrongVaultStatus { .. })));
    assert!(matches!(reassigned[3].outcome, Err(Error::ItemDoesNotOpen(_))));
}

#[tokio::test]
async fn a_target_that_takes_no_items_fails_the_call_before_anything_is_opened() {
    let (service, source, target) = two_vaults().await;
    let items = service.environment().seal_all(Some(&source), &["a"]).await.unwrap();
    service.clock.advance(Duration::from_secs(60));
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service
        .validate_vault()
        .run(&request(), &admin(), &target)
        .await
        .unwrap();
    service.customer.change_key(|key| key.state = KeyState::Enabled);
    let calls = service.customer.calls();
    let refused = reassign(&service, &target, items.clone()).await;
    assert!(matches!(refused, Err(Error::VaultUnusable { ref findings }) if !findings.is_empty()));

    service
        .validate_vault()
        .run(&request(), &admin(), &target)
        .await
        .unwrap();
    assert!(reassign(&service, &target, items.clone()).await.is_ok(), "mended");
    service.outage_everywhere(Some(RegionOutage::Fails(Outage::Unreachable)));
    for _ in 0..3 {
        service.clock.advance(Duration::from_secs(1));
        service
            .validate_vault()
            .run(&request(), &admin(), &target)
            .await
            .unwrap();
    }
    service.outage_everywhere(None);
    let unknown = reassign(&service, &target, items.clone()).await;
    assert!(matches!(unknown, Err(Error::Unavailable)), "nothing is known of it");

    service.disable(&target, DisableMode::DecryptOnly).await;
    let refused = reassign(&service, &target, items.clone()).await;
    assert!(matches!(refused, Err(Error::WrongVaultStatus { .. })));
    let refused = reassign(&service, &VaultId::generate(), items).await;
    assert!(matches!(refused, Err(Error::VaultNotFound)));
    assert!(service.customer.calls() > calls);
}

#[tokio::test]
async fn a_source_whose_key_refuses_keeps_its_items_and_a_target_whose_key_refuses_fails_the_call() {
    let (service, source, target) = two_vaults().await;
    let items = service.environment().seal_all(Some(&source), &["a"]).await.unwrap();
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let kept = reassign(&service, &target, items.clone()).await.unwrap();
    assert!(matches!(kept[0].outcome, Err(Error::KeyRefused { .. })));

    service.customer.change_key(|key| key.state = KeyState::Enabled);
    let operation = operation(&service);
    let would = operation
        .run(&request(), &member(), &target, items.clone(), true)
        .await
        .unwrap();
    assert_eq!(outcome(&would, 0), &Reassigned::WouldMove);
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let refused = operation.run(&request(), &member(), &target, items, false).await;
    assert!(
        matches!(refused, Err(Error::KeyRefused { .. })),
        "the source's data key is still held"
    );
}

#[tokio::test]
async fn another_workspace_moves_nothing_here_and_nothing_from_here() {
    let (service, source, target) = two_vaults().await;
    let items = service.environment().seal_all(Some(&source), &["a"]).await.unwrap();
    let stranger = caller("ws-other", WorkspaceRole::Owner);
    let calls = service.customer.calls();
    let refused = operation(&service)
        .run(&request(), &stranger, &target, items, false)
        .await;
    assert!(matches!(refused, Err(Error::VaultNotFound)));
    assert_eq!(service.customer.calls(), calls);
}

/// The environment serves ten requests at a time. All want the source's key, which is slow: five to open, five to seal.
#[tokio::test(start_paused = true)]
async fn a_slow_key_takes_no_more_than_half_of_an_environment_whether_it_opens_or_seals() {
    let (service, source, target) = two_vaults().await;
    let seal = |vault_id, item_id| {
        let environment = service.environment();
        async move { environment.seal_all(Some(vault_id), &[item_id]).await.unwrap() }
    };
    let (from_source, from_target) = (seal(&source, "a").await, seal(&target, "b").await);
    let operation = service
        .with_settings(|settings| settings.max_concurrency = 10)
        .reassign_item();
    let (caller, held) = (member(), from_target.clone());
    let opened = operation.run(&request(), &caller, &source, held, true).await.unwrap();
    assert_eq!(outcome(&opened, 0), &Reassigned::WouldMove, "the target's key is held");

    service.customer.set_latency(Duration::from_secs(2));
    let run = |to, items: &Vec<DecryptItemCommand>| {
        let (operation, caller, items) = (&operation, &caller, items.clone());
        async move {
            let moved = operation.run(&request(), caller, to, items, false).await;
            moved.and_then(|items| items.into_iter().next().unwrap().outcome)
        }
    };
    let opening = join_all((0..5).map(|_| run(&target, &from_source)));
    let sealing = join_all((0..5).map(|_| run(&source, &from_target)));
    let (opening, sealing) = join(opening, sealing).await;
    let throttled = |outcome: &&Result<Reassigned, Error>| matches!(outcome, Err(Error::Throttled));
    assert_eq!(opening.iter().chain(&sealing).filter(throttled).count(), 5);
    assert_eq!(
        opening.iter().chain(&sealing).filter(|outcome| outcome.is_ok()).count(),
        5
    );
}

/// What one item is opened with, the next is sealed with: there is one cache.
#[tokio::test]
async fn a_data_key_is_asked_for_once_whether_it_opens_or_seals() {
    let (service, source, target) = two_vaults().await;
    let environment = service.environment();
    let from_source = environment.seal_all(Some(&source), &["a"]).await.unwrap();
    let from_target = environment.seal_all(Some(&target), &["b"]).await.unwrap();
    let (operation, before) = (operation(&service), service.decrypt_calls());
    for (to, items) in [(&target, from_source), (&source, from_target)] {
        let moved = operation.run(&request(), &member(), to, items, false).await.unwrap();
        assert!(matches!(outcome(&moved, 0), Reassigned::Moved(_)));
    }
    assert_eq!(service.decrypt_calls() - before, 2, "one for each vault's data key");
}
