//! This release works with records of a later one. Both run while the later one is rolled out, and its records stay
//! after a roll-back.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::error::Error;
use latchkey_core::operations::{
    CreateVaultCommand, DecryptItemCommand, DisableMode, EncryptItemCommand, UpdateVaultCommand, VaultView,
};
use latchkey_core::values::{DataKeyCacheBound, Region, Strategy, VaultId};
use latchkey_core::vault::{Precondition, VaultSettings};
use latchkey_in_memory::KeyState;
use sealed_item::Plaintext;

use super::told;
use crate::fixtures::{CUSTOMER_ROLE, context, customer_key};
use crate::record_fixtures::{at, name};
use crate::scenarios::sweep;
use crate::service::{World, admin};

type Record = HashMap<String, AttributeValue>;

/// An attribute that this release does not know.
const LATER: &str = "a_later_attribute";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn later(of: &str) -> AttributeValue {
    AttributeValue::M(
        [
            ("of".to_owned(), text(of)),
            ("since".to_owned(), AttributeValue::N("2".to_owned())),
        ]
        .into(),
    )
}

fn map(value: Option<&mut AttributeValue>) -> &mut Record {
    match value {
        Some(AttributeValue::M(map)) => map,
        other => panic!("a map, not {other:?}"),
    }
}

fn first(list: Option<&mut AttributeValue>) -> &mut Record {
    match list {
        Some(AttributeValue::L(list)) => map(list.first_mut()),
        other => panic!("a list, not {other:?}"),
    }
}

fn kind(record: &Record) -> String {
    let sk = record["sk"].as_s().expect("text");
    sk.split('#').next().expect("a part").to_owned()
}

/// Changes every record of this kind, as a later release might.
async fn change(world: &World, of: &str, change: impl Fn(&mut Record)) {
    for mut record in world.db.items().await {
        if kind(&record) == of {
            change(&mut record);
            world.db.put(record).await;
        }
    }
}

async fn create(world: &World, called: &str, set_as_default: bool) -> VaultId {
    let settings = VaultSettings {
        name: name(called),
        strategy: Strategy::AwsKms,
        customer_key: customer_key(),
        aws_role_arn: latchkey_core::values::RoleArn::parse(CUSTOMER_ROLE).expect("valid"),
        data_key_cache: DataKeyCacheBound::from_seconds(0).expect("a bound"),
    };
    let command = CreateVaultCommand {
        settings,
        set_as_default,
    };
    let create = world.environment(Region::UsEast2).create_vault();
    let created = create.run(&context(), &admin(), command).await;
    created.expect("created").0.vault.vault_id
}

async fn seal(world: &World, vault_id: &VaultId) -> Result<DecryptItemCommand, Error> {
    let item = EncryptItemCommand {
        item_id: "item".to_owned(),
        context: [].into(),
        plaintext: b"plaintext".to_vec().into(),
    };
    let encrypt = world.environment(Region::UsEast2).encrypt_item();
    let sealed = encrypt
        .run(&context(), &admin(), Some(vault_id.clone()), vec![item])
        .await?;
    let (item_id, sealed_item) = sealed.items.into_iter().next().expect("an item");
    Ok(DecryptItemCommand {
        item_id,
        context: [].into(),
        sealed_item,
    })
}

async fn open(world: &World, item: &DecryptItemCommand) -> Result<Plaintext, Error> {
    let decrypt = world.environment(Region::UsEast2).decrypt_item();
    decrypt
        .run(&context(), &admin(), vec![item.clone()])
        .await
        .remove(0)
        .outcome
}

async fn read(world: &World, vault_id: &VaultId) -> Result<VaultView, Error> {
    let list = world.environment(Region::UsEast2).list_vaults();
    list.read(&context(), &admin(), vault_id).await
}

#[tokio::test]
async fn what_a_later_release_has_added_does_not_keep_this_one_from_reading() {
    let world = World::new().await;
    let vault_id = create(&world, "Acme", true).await;
    let item = seal(&world, &vault_id).await.expect("sealed");
    world.set_key_state(KeyState::PendingDeletion(at("2026-12-24T10:00:00Z")));
    let validate = world.environment(Region::UsEast2).validate_vault();
    validate.run(&context(), &admin(), &vault_id).await.expect("validated");
    world.set_key_state(KeyState::Enabled);
    let before = told(&read(&world, &vault_id).await.expect("read"));
    for of in ["VAULT", "NAME", "DEFAULT", "DATAKEY"] {
        change(&world, of, |record| {
            drop(record.insert(LATER.to_owned(), later("record")))
        })
        .await;
    }
    change(&world, "VAULT", |record| {
        let health = map(record.get_mut("health"));
        health.insert(LATER.to_owned(), later("health"));
        first(health.get_mut("findings")).insert(LATER.to_owned(), later("finding"));
        first(health.get_mut("unannounced")).insert(LATER.to_owned(), later("change"));
    })
    .await;
    assert_eq!(told(&read(&world, &vault_id).await.expect("read")), before);
    assert_eq!(open(&world, &item).await.expect("opened").as_bytes(), b"plaintext");
    world.a_minute_passes();
    let swept = sweep(&world.environment(Region::UsWest2)).await;
    assert_eq!((swept.checked, swept.failed, swept.unannounced), (1, 0, 0));
    seal(&world, &vault_id).await.expect("sealed");
}

/// Covers every change of a vault's record: its settings, status, health, due time and claim.
#[tokio::test]
async fn what_a_later_release_has_added_is_still_there_after_every_change() {
    let world = World::new().await;
    let vault_id = create(&world, "Acme", true).await;
    seal(&world, &vault_id).await.expect("sealed");
    change(&world, "VAULT", |record| {
        record.insert(LATER.to_owned(), later("record"));
        map(record.get_mut("health")).insert(LATER.to_owned(), later("health"));
    })
    .await;
    let is_untouched = async |after: &str| {
        let records = world.db.items().await;
        let mut vaults = records.into_iter().filter(|record| kind(record) == "VAULT");
        let mut record = vaults.next().expect("a vault");
        assert_eq!(record.get(LATER), Some(&later("record")), "after {after}");
        assert_eq!(
            map(record.get_mut("health")).get(LATER),
            Some(&later("health")),
            "after {after}"
        );
        record
    };
    let (environment, caller, any) = (world.environment(Region::UsEast2), admin(), Precondition::None);
    let everything = UpdateVaultCommand {
        name: Some(name("Renamed")),
        is_default: Some(false),
        data_key_cache: Some(DataKeyCacheBound::from_seconds(5).expect("a bound")),
    };
    let update = environment.update_vault();
    update
        .run(&context(), &caller, &vault_id, &everything, &any)
        .await
        .expect("updated");
    is_untouched("update-vault").await;
    let disable = environment.disable_vault();
    disable
        .run(&context(), &caller, &vault_id, DisableMode::Disabled)
        .await
        .expect("disabled");
    is_untouched("disable-vault").await;
    environment
        .enable_vault()
        .run(&context(), &caller, &vault_id, &any)
        .await
        .expect("enabled");
    is_untouched("enable-vault").await;

    world.set_key_state(KeyState::Disabled);
    world.clock.advance(Duration::from_secs(10));
    assert!(matches!(seal(&world, &vault_id).await, Err(Error::KeyRefused { .. })));
    is_untouched("a refusal met by encrypt-item").await;
    environment
        .validate_vault()
        .run(&context(), &caller, &vault_id)
        .await
        .expect("validated");
    let mut record = is_untouched("validate-vault").await;
    let health = map(record.get_mut("health"));
    assert!(health.contains_key("access_ends_by") && health.contains_key("unannounced"));

    world.set_key_state(KeyState::Enabled);
    world.a_minute_passes();
    assert_eq!(sweep(&environment).await.changed, 1);
    let mut record = is_untouched("a sweep").await;
    assert!(record.contains_key("due_claim"));
    let health = map(record.get_mut("health"));
    assert_eq!(health.get("state"), Some(&text("healthy")));
    assert!(
        !health.contains_key("access_ends_by") && !health.contains_key("unannounced"),
        "what is past is gone"
    );
}

/// This release does not know what such a value means, so it neither opens nor seals with it. A new one takes two
/// releases.
#[tokio::test]
async fn a_status_strategy_or_form_that_only_a_later_release_knows_is_refused_and_no_neighbour_is() {
    for (attribute, value) in [
        ("status", text("quarantined")),
        ("strategy", text("external_key_store")),
        ("record_version", AttributeValue::N("2".to_owned())),
    ] {
        let world = World::new().await;
        let (vault_id, neighbour) = (
            create(&world, "Acme", false).await,
            create(&world, "Neighbour", true).await,
        );
        let (item, of_neighbour) = (seal(&world, &vault_id).await, seal(&world, &neighbour).await);
        let (item, of_neighbour) = (item.expect("sealed"), of_neighbour.expect("sealed"));
        change(&world, "VAULT", |record| {
            if record["vault_id"] == text(vault_id.as_str()) {
                record.insert(attribute.to_owned(), value.clone());
            }
        })
        .await;
        let is_refused = |answer: Option<Error>| matches!(answer, Some(Error::Internal(_)));
        assert!(is_refused(open(&world, &item).await.err()), "{attribute}");
        assert!(is_refused(seal(&world, &vault_id).await.err()), "{attribute}");
        assert!(is_refused(read(&world, &vault_id).await.err()), "{attribute}");
        assert_eq!(
            open(&world, &of_neighbour).await.expect("opened").as_bytes(),
            b"plaintext"
        );
        seal(&world, &neighbour).await.expect("sealed");
    }
}
