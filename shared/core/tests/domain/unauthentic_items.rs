//! Items that are not what they claim to be. They are refused, and without asking the customer's key wherever that is
//! possible.

use latchkey_core::Error;
use latchkey_core::data_keys::ItemOrigin;
use latchkey_core::error::ItemFault;
use latchkey_core::values::{Region, VaultId};
use sealed_item::{EncryptedDataKey, ItemIdentity, ItemSealingParameters, PlaintextDataKey, SealedItem, seal_item};

use crate::fixtures::{
    Environment, KEY_PAIR, Service, customer_key, item_context, item_to_open, member, plaintext_of, workspace,
};

/// A sealed item, and an environment that has not opened anything yet.
async fn sealed_and_cold() -> (Service, VaultId, Vec<u8>, Environment) {
    let (service, vault_id) = Service::with_vault(30).await;
    let sealed = service.environment().seal("item").await.unwrap();
    let cold = service.environment();
    (service, vault_id, sealed, cold)
}

async fn fault_of(environment: &Environment, item_id: &str, sealed: &[u8]) -> ItemFault {
    match environment.open(item_id, sealed).await.unwrap_err() {
        Error::ItemDoesNotOpen(fault) => fault,
        error => panic!("{error}"),
    }
}

/// Where the part ends that can be checked without a data key: version, suite, message id, context, encrypted data key.
fn end_of_claims(sealed: &[u8]) -> usize {
    let item = SealedItem::parse(sealed).unwrap();
    let ciphertext = item.encrypted_data_key().ciphertext();
    let at = sealed.windows(ciphertext.len()).position(|window| window == ciphertext);
    at.unwrap() + ciphertext.len()
}

#[tokio::test]
async fn another_item_id_or_context_is_refused_without_the_key() {
    let (service, _, sealed, cold) = sealed_and_cold().await;
    let calls = service.decrypt_calls();
    for item_id in ["item2", "Item", "", "item "] {
        assert_eq!(fault_of(&cold, item_id, &sealed).await, ItemFault::WrongIdentity);
    }
    let contexts = [
        item_context("bob"),
        [].into(),
        [
            ("owner".to_owned(), "ann".to_owned()),
            ("more".to_owned(), String::new()),
        ]
        .into(),
        [("ann".to_owned(), "owner".to_owned())].into(),
    ];
    for context in contexts {
        let mut item = item_to_open("item", &sealed);
        item.context = context;
        let opened = cold.open_as(&member(), item).await;
        assert!(matches!(opened, Err(Error::ItemDoesNotOpen(ItemFault::WrongIdentity))));
    }
    assert_eq!(service.decrypt_calls(), calls);
}

#[tokio::test]
async fn a_truncated_or_extended_item_is_refused_without_the_key() {
    let (service, _, sealed, cold) = sealed_and_cold().await;
    let calls = service.decrypt_calls();
    for length in 0..sealed.len() {
        assert_eq!(
            fault_of(&cold, "item", &sealed[..length]).await,
            ItemFault::Malformed,
            "{length}"
        );
    }
    for more in [[0].as_slice(), &[0xff; 3], &sealed] {
        let extended = [&sealed, more].concat();
        assert_eq!(fault_of(&cold, "item", &extended).await, ItemFault::Malformed);
    }
    assert_eq!(service.decrypt_calls(), calls);
}

#[tokio::test]
async fn a_flipped_bit_in_what_an_item_claims_is_refused_without_the_key() {
    let (service, _, sealed, cold) = sealed_and_cold().await;
    let calls = service.decrypt_calls();
    for place in 0..end_of_claims(&sealed) {
        let mut flipped = sealed.clone();
        flipped[place] ^= 1 << (place % 8);
        assert!(cold.open("item", &flipped).await.is_err(), "byte {place}");
    }
    assert_eq!(service.decrypt_calls(), calls);
}

#[tokio::test]
async fn a_flipped_bit_anywhere_else_is_refused_by_the_data_key() {
    let (service, _, sealed, warm) = sealed_and_cold().await;
    warm.open("item", &sealed).await.unwrap();
    let calls = service.decrypt_calls();
    for place in end_of_claims(&sealed)..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[place] ^= 1 << (place % 8);
        let fault = fault_of(&warm, "item", &flipped).await;
        assert!(
            matches!(fault, ItemFault::Altered | ItemFault::Malformed),
            "byte {place}"
        );
    }
    assert_eq!(service.decrypt_calls(), calls);
    assert_eq!(warm.open("item", &sealed).await.unwrap(), plaintext_of("item"));
}

/// What anyone can make from the public key and one genuine item.
fn forge(genuine: &[u8], key_arn: &str) -> Vec<u8> {
    let genuine = SealedItem::parse(genuine).unwrap();
    let encryption_context = genuine.encryption_context();
    let data_key = PlaintextDataKey::generate().unwrap();
    let wrapping_key = KEY_PAIR.public_key().wrapping_key();
    let ciphertext = wrapping_key.wrap(encryption_context, &data_key).unwrap();
    let parameters = ItemSealingParameters {
        data_key: &data_key,
        encrypted_data_key: &EncryptedDataKey::kms_rsa(key_arn, ciphertext).unwrap(),
        encryption_context,
    };
    seal_item(&parameters, &ItemIdentity::new("item", &item_context("ann")), b"forged").unwrap()
}

#[tokio::test]
async fn an_item_forged_with_the_public_key_is_refused_without_the_key() {
    let (service, _, sealed, environment) = sealed_and_cold().await;
    let calls = service.decrypt_calls();
    let arn = customer_key().arn(Region::UsEast2);
    let forged = forge(&sealed, arn.as_str());
    assert_eq!(
        fault_of(&environment, "item", &forged).await,
        ItemFault::DataKeyNotOnRecord
    );
    assert_eq!(service.decrypt_calls(), calls);
    // This also holds when the data key with that id is in the cache.
    environment.open("item", &sealed).await.unwrap();
    let calls = service.decrypt_calls();
    assert_eq!(
        fault_of(&environment, "item", &forged).await,
        ItemFault::DataKeyNotOnRecord
    );
    assert_eq!(service.decrypt_calls(), calls);
}

#[tokio::test]
async fn a_forged_item_beside_a_genuine_one_spoils_nothing() {
    for cache_seconds in [0, 30] {
        let (service, _) = Service::with_vault(cache_seconds).await;
        let environment = service.environment();
        let sealed = environment.seal("item").await.unwrap();
        let forged = forge(&sealed, customer_key().arn(Region::UsEast2).as_str());
        let calls = service.decrypt_calls();
        let batch = [&forged, &sealed, &forged].map(|sealed| item_to_open("item", sealed));
        let opened = environment.open_all(batch.into()).await;
        assert_eq!(
            opened.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [false, true, false]
        );
        assert_eq!(service.decrypt_calls() - calls, 1);
    }
}

/// The genuine encrypted data key under the other Region's ARN is the same key, but not what is on record.
#[tokio::test]
async fn an_encrypted_data_key_is_on_record_byte_for_byte() {
    let (service, _, sealed, environment) = sealed_and_cold().await;
    let calls = service.decrypt_calls();
    let at = sealed.windows(9).position(|window| window == b"us-east-2").unwrap();
    let mut moved = sealed.clone();
    moved[at..at + 9].copy_from_slice(b"us-west-2");
    assert_eq!(
        fault_of(&environment, "item", &moved).await,
        ItemFault::DataKeyNotOnRecord
    );
    assert_eq!(service.decrypt_calls(), calls);
}

#[tokio::test]
async fn an_item_of_a_data_key_that_was_never_issued_is_refused_without_the_key() {
    let (service, vault_id, sealed, environment) = sealed_and_cold().await;
    let calls = service.decrypt_calls();
    let genuine = SealedItem::parse(&sealed).unwrap();
    let origin = ItemOrigin::from_encryption_context(genuine.encryption_context()).unwrap();
    assert_eq!((&origin.workspace_id, &origin.vault_id), (&workspace(), &vault_id));
    let elsewhere = [
        ItemOrigin {
            data_key_id: latchkey_core::vault::DataKeyId::parse("20200101T000000Z-1").unwrap(),
            ..origin.clone()
        },
        ItemOrigin {
            vault_id: VaultId::generate(),
            ..origin
        },
    ];
    let mut errors = Vec::new();
    for origin in elsewhere {
        let data_key = PlaintextDataKey::generate().unwrap();
        let parameters = ItemSealingParameters {
            data_key: &data_key,
            encrypted_data_key: genuine.encrypted_data_key(),
            encryption_context: &origin.encryption_context().unwrap(),
        };
        let forged = seal_item(&parameters, &ItemIdentity::new("item", &item_context("ann")), b"").unwrap();
        errors.push(environment.open("item", &forged).await.unwrap_err());
    }
    assert!(matches!(
        errors[0],
        Error::ItemDoesNotOpen(ItemFault::DataKeyNotOnRecord)
    ));
    assert!(matches!(errors[1], Error::VaultNotFound));
    assert_eq!(service.decrypt_calls(), calls);
}
