//! This release opens the items of every frozen release.

use latchkey_core::caller::Caller;
use latchkey_core::error::{Error, ItemFault};
use latchkey_core::operations::{DecryptItemCommand, EncryptItemCommand};
use latchkey_core::values::{Region, VaultId};
use latchkey_core::vault::Precondition;
use sealed_item::Plaintext;

use super::{FrozenItem, Release, releases};
use crate::fixtures::{context, workspace};
use crate::service::World;

async fn opened(world: &World, caller: &Caller, region: Region, item: DecryptItemCommand) -> Result<Plaintext, Error> {
    let decrypt = world.environment(region).decrypt_item();
    decrypt.run(&context(), caller, vec![item]).await.remove(0).outcome
}

fn is_disabled(release: &Release, item: &FrozenItem) -> bool {
    let disabled = release.vaults_with("status", "disabled");
    disabled.iter().any(|vault_id| vault_id.as_str() == item.vault_id)
}

#[tokio::test]
async fn every_item_opens_in_either_region() {
    for release in releases() {
        let world = release.world().await;
        for disabled in release.vaults_with("status", "disabled") {
            let enable = world.environment(Region::UsEast2).enable_vault();
            enable
                .run(&context(), &release.caller(), &disabled, &Precondition::None)
                .await
                .expect("enabled");
        }
        for (item, region) in release
            .items
            .iter()
            .flat_map(|item| Region::ALL.map(|region| (item, region)))
        {
            let plaintext = opened(&world, &release.caller(), region, item.command()).await;
            let plaintext = plaintext.unwrap_or_else(|error| panic!("{}: {}: {error}", release.version, item.name));
            assert_eq!(
                plaintext.as_bytes(),
                item.plaintext(),
                "{}: {}",
                release.version,
                item.name
            );
        }
    }
}

#[tokio::test]
async fn no_item_of_a_disabled_vault_opens() {
    for release in releases() {
        let world = release.world().await;
        let disabled: Vec<_> = release
            .items
            .iter()
            .filter(|item| is_disabled(&release, item))
            .collect();
        assert!(!disabled.is_empty());
        for item in disabled {
            let answer = opened(&world, &release.caller(), Region::UsWest2, item.command()).await;
            assert!(matches!(answer, Err(Error::WrongVaultStatus { .. })), "{}", item.name);
        }
    }
}

#[tokio::test]
async fn no_item_opens_under_another_identity_or_altered() {
    for release in releases() {
        let world = release.world().await;
        let caller = release.caller();
        for item in release.items.iter().filter(|item| !is_disabled(&release, item)) {
            let (mut other_id, mut other_context, mut altered) = (item.command(), item.command(), item.command());
            other_id.item_id.push('2');
            other_context.context.insert("more".to_owned(), String::new());
            let last = altered.sealed_item.last_mut().expect("a byte");
            *last ^= 1;
            for (command, fault) in [
                (other_id, ItemFault::WrongIdentity),
                (other_context, ItemFault::WrongIdentity),
                (altered, ItemFault::Altered),
            ] {
                let answer = opened(&world, &caller, Region::UsEast2, command).await;
                let as_expected = matches!(answer, Err(Error::ItemDoesNotOpen(found)) if found == fault);
                assert!(as_expected, "{}: {}: {fault:?}", release.version, item.name);
            }
            let stranger = Caller {
                workspace_id: workspace("ws-stranger"),
                ..caller.clone()
            };
            let answer = opened(&world, &stranger, Region::UsEast2, item.command()).await;
            assert!(matches!(answer, Err(Error::VaultNotFound)), "{}", item.name);
        }
    }
}

/// In the same period, new items use the data key that the frozen release wrote.
#[tokio::test]
async fn new_items_are_sealed_beside_the_old_ones() {
    for release in releases() {
        let world = release.world().await;
        let old = release.items.iter().rfind(|item| item.vault_id == default_of(&release));
        let old = old.expect("the default vault has items");
        let new = EncryptItemCommand {
            item_id: "new".to_owned(),
            context: old.context.clone(),
            plaintext: b"new".to_vec().into(),
        };
        let encrypt = world.environment(Region::UsWest2).encrypt_item();
        let sealed = encrypt
            .run(&context(), &release.caller(), None, vec![new])
            .await
            .expect("sealed");
        assert_eq!(sealed.vault_id.as_str(), default_of(&release), "{}", release.version);
        assert_eq!(
            world.db.items().await.len(),
            release.records.len(),
            "no further data key"
        );
        let (item_id, sealed_item) = sealed.items.into_iter().next().expect("an item");
        let new = DecryptItemCommand {
            item_id,
            context: old.context.clone(),
            sealed_item,
        };
        let plaintext = opened(&world, &release.caller(), Region::UsEast2, new).await;
        assert_eq!(plaintext.expect("opened").as_bytes(), b"new");
    }
}

fn default_of(release: &Release) -> String {
    let mut vaults = release.vaults.iter().filter(|vault| vault["is_default"] == true);
    let default = vaults.next().and_then(|vault| vault["vault_id"].as_str());
    VaultId::parse(default.expect("a default")).expect("an id").to_string()
}
