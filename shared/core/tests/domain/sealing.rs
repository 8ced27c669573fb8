//! encrypt-item and decrypt-item: an item opens as it was sealed, if the vault's status allows it, and for its
//! workspace alone.

use latchkey_core::Error;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::error::ItemFault;
use latchkey_core::operations::{CreateVaultCommand, DisableMode};
use latchkey_core::ports::StoreError;
use latchkey_core::values::VaultId;
use latchkey_in_memory::InMemoryRecords;

use crate::fixtures::{
    Service, admin, caller, command, item_context, item_to_open, item_to_seal, member, plaintext_of, request,
};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("item-{n}")).collect()
}

#[tokio::test]
async fn a_batch_comes_back_in_its_order() {
    for count in [1, 2, 100] {
        let (service, vault_id) = Service::with_vault(30).await;
        let environment = service.environment();
        let names = names(count);
        let ids: Vec<&str> = names.iter().map(String::as_str).collect();
        let sealed = environment.seal_all(Some(&vault_id), &ids).await.unwrap();
        assert!(sealed.iter().map(|item| item.item_id.as_str()).eq(ids.iter().copied()));
        let opened = environment.open_all(sealed).await;
        for (id, outcome) in ids.iter().zip(opened) {
            assert_eq!(outcome.unwrap(), plaintext_of(id));
        }
    }
}

#[tokio::test]
async fn no_two_sealed_items_are_alike_and_none_shows_what_it_holds() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let one = environment.seal("item").await.unwrap();
    let other = environment.seal("item").await.unwrap();
    assert_ne!(one, other);
    for hidden in [b"canary".as_slice(), b"ann", b"owner"] {
        assert!(!one.windows(hidden.len()).any(|window| window == hidden));
    }
}

#[tokio::test]
async fn empty_and_large_plaintexts_are_items_too() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    for length in [0, 1, 4096, 300_000] {
        let mut item = item_to_seal("item");
        item.plaintext = vec![7; length].into();
        let sealed = environment
            .encrypt
            .run(&request(), &member(), None, vec![item])
            .await
            .unwrap();
        assert_eq!(
            environment.open("item", &sealed.items[0].1).await.unwrap(),
            vec![7; length]
        );
    }
}

#[tokio::test]
async fn an_unnamed_vault_is_the_default_one() {
    let (service, first) = Service::with_vault(30).await;
    let (second, _) = service
        .create(CreateVaultCommand {
            set_as_default: false,
            ..command("Second")
        })
        .await
        .unwrap();
    let environment = service.environment();
    let vault_of = async |vault_id: Option<VaultId>| {
        let items = vec![item_to_seal("item")];
        environment
            .encrypt
            .run(&request(), &member(), vault_id, items)
            .await
            .unwrap()
            .vault_id
    };
    assert_eq!(vault_of(None).await, first);
    assert_eq!(
        vault_of(Some(second.vault.vault_id.clone())).await,
        second.vault.vault_id
    );
}

#[tokio::test]
async fn without_a_default_a_vault_must_be_named() {
    let service = Service::new();
    let quiet = CreateVaultCommand {
        set_as_default: false,
        ..command("Quiet")
    };
    let (view, _) = service.create(quiet).await.unwrap();
    let environment = service.environment();
    assert!(matches!(environment.seal("item").await, Err(Error::NoDefaultVault)));
    assert!(
        environment
            .seal_all(Some(&view.vault.vault_id), &["item"])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_vault_that_takes_nothing_says_what_it_is() {
    for (mode, opens) in [(DisableMode::DecryptOnly, true), (DisableMode::Disabled, false)] {
        let (service, vault_id) = Service::with_vault(30).await;
        let environment = service.environment();
        let sealed = environment.seal("item").await.unwrap();
        environment.open("item", &sealed).await.unwrap();
        service
            .disable_vault()
            .run(&request(), &admin(), &vault_id, mode)
            .await
            .unwrap();
        let calls = service.decrypt_calls();
        let refused = environment.seal_all(Some(&vault_id), &["item"]).await;
        assert!(matches!(refused, Err(Error::WrongVaultStatus { .. })));
        let opened = environment.open("item", &sealed).await;
        match opened {
            Ok(plaintext) => assert!(opens && plaintext == plaintext_of("item")),
            Err(error) => assert!(!opens && matches!(error, Error::WrongVaultStatus { .. })),
        }
        // The cache of the vault before its change is not used any more.
        assert_eq!(service.decrypt_calls(), calls + usize::from(opens));
    }
}

#[tokio::test]
async fn a_foreign_vault_is_no_different_from_a_missing_one() {
    let (service, vault_id) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    let calls = service.decrypt_calls();
    let stranger = caller("ws-stranger", WorkspaceRole::Owner);
    let seal = async |vault_id: VaultId| {
        let items = vec![item_to_seal("item")];
        environment
            .encrypt
            .run(&request(), &stranger, Some(vault_id), items)
            .await
            .unwrap_err()
    };
    let foreign = seal(vault_id.clone()).await;
    let missing = seal(VaultId::generate()).await;
    assert!(matches!(foreign, Error::VaultNotFound));
    assert_eq!(foreign.to_string(), missing.to_string());
    // The right and the wrong identity get the same answer.
    for item in [item_to_open("item", &sealed), item_to_open("other", &sealed)] {
        let opened = environment.open_as(&stranger, item).await;
        assert!(matches!(opened, Err(Error::VaultNotFound)));
    }
    assert_eq!(service.decrypt_calls(), calls);
}

#[tokio::test]
async fn one_bad_item_fails_no_neighbour() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let items = environment.seal_all(None, &["a", "b", "c", "d", "e"]).await.unwrap();
    let mut items = items.into_iter();
    let mut next = || items.next().unwrap();
    let (a, mut b, mut c, mut d, e) = (next(), next(), next(), next(), next());
    b.context = item_context("bob");
    c.sealed_item.truncate(100);
    *d.sealed_item.last_mut().unwrap() ^= 1;
    let fault = |outcome: &Result<Vec<u8>, Error>| match outcome {
        Ok(_) => None,
        Err(Error::ItemDoesNotOpen(fault)) => Some(*fault),
        Err(error) => panic!("{error}"),
    };
    let opened = environment.open_all(vec![a, b, c, d, e]).await;
    assert_eq!(
        opened.iter().map(fault).collect::<Vec<_>>(),
        [
            None,
            Some(ItemFault::WrongIdentity),
            Some(ItemFault::Malformed),
            Some(ItemFault::Altered),
            None
        ]
    );
    assert_eq!(opened[4].as_deref().unwrap(), plaintext_of("e"));
}

#[tokio::test]
async fn items_of_several_vaults_and_data_keys_open_in_one_batch() {
    let (service, first) = Service::with_vault(30).await;
    let (second, _) = service.create(command("Second")).await.unwrap();
    let environment = service.environment();
    let mut items = environment.seal_all(Some(&first), &["a"]).await.unwrap();
    items.extend(
        environment
            .seal_all(Some(&second.vault.vault_id), &["b"])
            .await
            .unwrap(),
    );
    service.clock.advance(std::time::Duration::from_secs(24 * 3600));
    items.extend(environment.seal_all(Some(&first), &["c"]).await.unwrap());
    assert_eq!(service.records.data_keys().len(), 3);
    let calls = service.decrypt_calls();
    let opened = environment.open_all(items).await;
    assert!(opened.iter().all(Result::is_ok));
    assert_eq!(service.decrypt_calls() - calls, 3);
}

#[tokio::test]
async fn records_that_do_not_answer_are_our_outage() {
    let (service, _) = Service::with_vault(30).await;
    let environment = service.environment();
    let sealed = environment.seal("item").await.unwrap();
    for (fault, retryable) in [
        (StoreError::Unavailable, true),
        (StoreError::Throttled, true),
        (StoreError::Corrupt, false),
    ] {
        let records: &InMemoryRecords = &service.records;
        records.fail_reads(Some(fault));
        let errors = [
            environment.seal("item").await.unwrap_err(),
            environment.open("item", &sealed).await.unwrap_err(),
        ];
        records.fail_reads(None);
        assert!(errors.iter().all(|error| error.retryable() == retryable));
    }
    assert!(environment.open("item", &sealed).await.is_ok());
}
