//! This release reads the vaults of every frozen release as they were answered then, and can use them like its own.

use std::time::Duration;

use latchkey_core::error::Error;
use latchkey_core::findings::Verdict;
use latchkey_core::health::HealthState;
use latchkey_core::operations::{CreateVaultCommand, DisableMode, UpdateVaultCommand, VaultFilter, VaultView};
use latchkey_core::values::{Region, Strategy, VaultId};
use latchkey_core::vault::announcement::News;
use latchkey_core::vault::{Precondition, VaultSettings, VaultStatus};

use super::{Release, assert_still_told, releases, told};
use crate::fixtures::context;
use crate::record_fixtures::name;
use crate::scenarios::sweep;
use crate::service::World;

async fn listed(release: &Release, world: &World) -> Vec<VaultView> {
    let list = world.environment(Region::UsWest2).list_vaults();
    let listed = list
        .run(&context(), &release.caller(), VaultFilter::NONE, None, 100)
        .await;
    listed.expect("listed").vaults
}

async fn read(release: &Release, world: &World, vault_id: &VaultId) -> VaultView {
    let list = world.environment(Region::UsEast2).list_vaults();
    list.read(&context(), &release.caller(), vault_id).await.expect("read")
}

#[tokio::test]
async fn every_vault_is_told_as_its_release_told_it() {
    for release in releases() {
        let world = release.world().await;
        let listed = listed(&release, &world).await;
        assert_eq!(listed.len(), release.vaults.len(), "{}", release.version);
        for (frozen, view) in release.vaults.iter().zip(&listed) {
            assert_still_told(frozen, &told(view), &release.version);
            let one = read(&release, &world, &view.vault.vault_id).await;
            assert_still_told(frozen, &told(&one), &release.version);
        }
        for status in ["active", "decrypt_only", "disabled"] {
            assert!(!release.vaults_with("status", status).is_empty(), "{status}");
        }
        let states = release.vaults.iter().map(|vault| vault["health"]["state"].clone());
        let states: std::collections::HashSet<_> = states.collect();
        assert_eq!(states.len(), 4, "every state of health is there: {states:?}");
    }
}

#[tokio::test]
async fn every_vault_validates_and_none_is_news_to_the_default_or_its_name() {
    for release in releases() {
        let world = release.world().await;
        for view in listed(&release, &world).await {
            let (vault, environment) = (&view.vault, world.environment(Region::UsWest2));
            let validate = environment.validate_vault();
            let report = validate.run(&context(), &release.caller(), &vault.vault_id).await;
            assert_eq!(report.expect("validated").verdict, Verdict::Pass, "{}", release.version);
            let now = read(&release, &world, &vault.vault_id).await;
            assert_eq!(now.vault.health.state, HealthState::Healthy);
            assert_eq!(now.is_default, view.is_default);

            let settings = |strategy| VaultSettings {
                name: vault.name.clone(),
                strategy,
                customer_key: vault.customer_key.clone(),
                aws_role_arn: vault.aws_role_arn.clone(),
                data_key_cache: vault.data_key_cache,
            };
            let create = async |strategy| {
                let command = CreateVaultCommand {
                    settings: settings(strategy),
                    set_as_default: false,
                };
                environment
                    .create_vault()
                    .run(&context(), &release.caller(), command)
                    .await
            };
            let again = create(vault.strategy).await.expect("the same");
            assert_eq!(again.0.vault.vault_id, vault.vault_id, "created twice is one vault");
            let other = match vault.strategy {
                Strategy::AwsKms => Strategy::Managed,
                Strategy::Managed => Strategy::AwsKms,
            };
            assert!(matches!(create(other).await, Err(Error::VaultNameTaken)));
        }
    }
}

#[tokio::test]
async fn every_vault_can_be_renamed_disabled_and_enabled() {
    for release in releases() {
        let world = release.world().await;
        for view in listed(&release, &world).await {
            let (vault_id, environment) = (&view.vault.vault_id, world.environment(Region::UsEast2));
            let change = UpdateVaultCommand {
                name: Some(name(&format!("{} once more", view.vault.name.as_str()))),
                ..UpdateVaultCommand::default()
            };
            let as_seen = Precondition::OneOf(vec![view.tag()]);
            let update = environment.update_vault();
            let updated = update
                .run(&context(), &release.caller(), vault_id, &change, &as_seen)
                .await;
            let updated = updated.expect("updated");
            assert_eq!(updated.vault.version, view.vault.version + 1, "{}", release.version);
            let records = &world.db.records;
            let old =
                latchkey_core::ports::VaultStore::name_claim(records, &view.vault.workspace_id, &view.vault.name).await;
            assert_eq!(old.expect("read"), None, "the old name is free");

            let disable = environment.disable_vault();
            let disabled = disable
                .run(&context(), &release.caller(), vault_id, DisableMode::Disabled)
                .await;
            assert_eq!(disabled.expect("disabled").vault.status, VaultStatus::Disabled);
            let enable = environment.enable_vault();
            let enabled = enable
                .run(&context(), &release.caller(), vault_id, &Precondition::None)
                .await;
            let (enabled, report) = enabled.expect("enabled");
            assert_eq!(
                (enabled.vault.status, report.verdict),
                (VaultStatus::Active, Verdict::Pass)
            );
        }
    }
}

#[tokio::test]
async fn the_sweep_finds_every_vault_and_announces_what_waits() {
    for release in releases() {
        let world = release.world().await;
        world.clock.advance(Duration::from_secs(3600));
        let swept = sweep(&world.environment(Region::UsWest2)).await;
        assert_eq!(swept.checked as usize, release.vaults.len(), "{}", release.version);
        assert_eq!((swept.failed, swept.unannounced), (0, 0));
        let mut waiting = 0;
        for frozen in &release.vaults {
            let vault_id = frozen["vault_id"].as_str().expect("text");
            let events = world.event_bus.events();
            let mut of_vault = events.iter().filter(|event| event.vault_id == vault_id);
            for change in frozen["unannounced"].as_array().expect("a list") {
                let event = of_vault.next().expect("announced");
                assert_eq!(event.event_id, format!("{vault_id}-{}", change["revision"]));
                let News::HealthChanged(told) = &event.news else {
                    panic!("{event:?}");
                };
                assert_still_told(change, &serde_json::json!(told), &release.version);
                waiting += 1;
            }
        }
        assert!(waiting > 0, "something waits");
        let states = listed(&release, &world).await;
        assert!(
            states
                .iter()
                .all(|view| view.vault.health.state == HealthState::Healthy)
        );
    }
}
