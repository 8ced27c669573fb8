//! Each operation in the case in which it has most to do: what exists before, the request, and the result it must have.

use std::time::Duration;

use latchkey_core::error::Error;
use latchkey_core::findings::Verdict;
use latchkey_core::health::HealthState;
use latchkey_core::health::due::DuePartition;
use latchkey_core::operations::{
    CreateVaultCommand, DecryptItemCommand, DisableMode, EncryptItemCommand, Reassigned, Swept, UpdateVaultCommand,
    VaultFilter, VaultView,
};
use latchkey_core::ports::VaultStore;
use latchkey_core::values::{DataKeyCacheBound, Region, RoleArn, Strategy, VaultId};
use latchkey_core::vault::{Precondition, VaultSettings, VaultStatus, VaultTag};
use latchkey_in_memory::KeyState;

use crate::fixtures::{CUSTOMER_ROLE, context, customer_key, workspace};
use crate::invariants::all_vaults;
use crate::record_fixtures::{at, name};
use crate::service::{Environment, World, admin};

/// The operation, and the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// create-vault of a default vault.
    Create,
    /// create-vault of a default vault while another vault is the default.
    CreateSecond,
    /// update-vault of everything, under a precondition.
    Update,
    /// update-vault so that the vault is no longer the default.
    UndoDefault,
    /// disable-vault of the default vault, under a precondition.
    Disable(DisableMode),
    /// enable-vault of a vault that was disabled in this mode, under a precondition.
    Enable(DisableMode),
    /// validate-vault, by a person, of a vault whose key was just disabled.
    Validate,
    /// The sweep that finds a key pending deletion, and has two events to announce.
    Sweep,
    /// The sweep that finds a key mended.
    SweepMended,
    /// encrypt-item under the first data key of a period, in the default vault.
    Encrypt,
    /// encrypt-item that meets a disabled key.
    EncryptRefused,
    /// decrypt-item.
    Decrypt,
    /// decrypt-item in an unusable vault whose key works again.
    DecryptMended,
    /// reassign-item into a vault without a data key.
    Reassign,
    /// list-vaults, and get-vault.
    List,
}

const FAILURE: (HealthState, HealthState) = (HealthState::Healthy, HealthState::Unusable);
const RECOVERY: (HealthState, HealthState) = (HealthState::Unusable, HealthState::Healthy);

/// What exists before.
pub(crate) struct Before {
    vault_id: VaultId,
    other: VaultId,
    tag: VaultTag,
    items: Vec<DecryptItemCommand>,
}

impl Scenario {
    /// Prepares two vaults, and whatever else the scenario needs. The first vault holds an item, and is the default
    /// unless the scenario makes it so.
    pub(crate) async fn prepare(self, world: &World) -> Before {
        let all = world.environment(Region::UsEast2);
        if self == Self::Create {
            let (vault_id, other) = (VaultId::generate(), VaultId::generate());
            let (tag, items) = (
                VaultTag {
                    version: 0,
                    is_default: false,
                },
                Vec::new(),
            );
            return Before {
                vault_id,
                other,
                tag,
                items,
            };
        }
        let other = create(&all, "Other", true).await.vault.vault_id;
        let is_default = !matches!(self, Self::Update | Self::CreateSecond);
        let view = if self == Self::CreateSecond {
            None
        } else {
            Some(create(&all, "Acme", is_default).await)
        };
        let vault_id = view
            .as_ref()
            .map_or_else(VaultId::generate, |view| view.vault.vault_id.clone());
        let mut tag = view.map_or(VaultTag { version: 0, is_default }, |view| view.tag());
        let has_item = !matches!(self, Self::CreateSecond | Self::Encrypt | Self::EncryptRefused);
        let items = if has_item {
            encrypt(&all, Some(&vault_id), "before").await.expect("sealed")
        } else {
            Vec::new()
        };
        world.note_answered(items.clone());
        match self {
            Self::Enable(mode) => {
                let disabled = all.disable_vault().run(&context(), &admin(), &vault_id, mode).await;
                tag = disabled.expect("disabled").tag();
            }
            Self::Validate | Self::EncryptRefused => world.set_key_state(KeyState::Disabled),
            Self::Sweep => world.set_key_state(KeyState::PendingDeletion(at("2026-12-24T10:00:00Z"))),
            Self::SweepMended | Self::DecryptMended => {
                world.set_key_state(KeyState::Disabled);
                world.a_minute_passes();
                sweep(&all).await;
                world.set_key_state(KeyState::Enabled);
                // 61 s, so that the vault is due for the sweep; 10 s, so that it is not due yet.
                let seconds = if self == Self::SweepMended { 61 } else { 10 };
                world.clock.advance(Duration::from_secs(seconds));
            }
            _ => {}
        }
        if matches!(self, Self::Sweep) {
            world.a_minute_passes();
        }
        Before {
            vault_id,
            other,
            tag,
            items,
        }
    }

    /// Runs the operation and checks its answer, which is the same however often it has run before.
    pub(crate) async fn ask(self, environment: &Environment<'_>, before: &Before) {
        let (request, admin, vault_id) = (context(), admin(), &before.vault_id);
        let as_seen = Precondition::OneOf(vec![before.tag]);
        match self {
            Self::Create | Self::CreateSecond => {
                let view = create(environment, "Acme", true).await;
                assert!(view.is_default);
            }
            Self::Update => {
                let change = UpdateVaultCommand {
                    name: Some(name("Renamed")),
                    is_default: Some(true),
                    data_key_cache: Some(bound(5)),
                };
                let update = environment.update_vault();
                let view = update
                    .run(&request, &admin, vault_id, &change, &as_seen)
                    .await
                    .expect("updated");
                assert_eq!((view.vault.name, view.is_default), (name("Renamed"), true));
            }
            Self::UndoDefault => {
                let change = UpdateVaultCommand {
                    is_default: Some(false),
                    ..UpdateVaultCommand::default()
                };
                let update = environment.update_vault();
                let view = update
                    .run(&request, &admin, vault_id, &change, &as_seen)
                    .await
                    .expect("updated");
                assert!(!view.is_default);
            }
            Self::Disable(mode) => {
                let disable = environment.disable_vault();
                let view = disable
                    .run_if(&request, &admin, vault_id, mode, &as_seen)
                    .await
                    .expect("disabled");
                assert_eq!(
                    (view.vault.status.opens(), view.is_default),
                    (mode == DisableMode::DecryptOnly, false)
                );
            }
            Self::Enable(_) => {
                let enabled = environment
                    .enable_vault()
                    .run(&request, &admin, vault_id, &as_seen)
                    .await;
                let (view, report) = enabled.expect("enabled");
                assert_eq!((view.vault.status, view.is_default), (VaultStatus::Active, false));
                assert_ne!(report.verdict, Verdict::Fail);
            }
            Self::Validate => {
                let report = environment.validate_vault().run(&request, &admin, vault_id).await;
                assert_eq!(report.expect("validated").verdict, Verdict::Fail);
            }
            Self::Sweep | Self::SweepMended => {
                sweep(environment).await;
            }
            Self::Encrypt => {
                let items = encrypt(environment, None, "item").await.expect("sealed");
                environment.world.note_answered(items);
            }
            // The refusal may be new or on record already. To the caller's items it makes no difference.
            Self::EncryptRefused => match encrypt(environment, Some(vault_id), "item").await {
                Err(Error::KeyRefused { .. } | Error::VaultUnusable { .. }) => {}
                answer => panic!("{:?}", answer.map(drop)),
            },
            Self::Decrypt | Self::DecryptMended => {
                let opened = environment
                    .decrypt_item()
                    .run(&request, &admin, before.items.clone())
                    .await;
                let outcome = opened.into_iter().next().expect("an item").outcome;
                assert_eq!(outcome.expect("opened").as_bytes(), plaintext_of("before"));
            }
            Self::Reassign => {
                let (reassign, items) = (environment.reassign_item(), before.items.clone());
                let moved = reassign
                    .run(&request, &admin, &before.other, items, false)
                    .await
                    .expect("moved");
                for (given, item) in before.items.iter().zip(moved) {
                    let Ok(Reassigned::Moved(sealed_item)) = item.outcome else {
                        panic!("{:?}", item.outcome)
                    };
                    environment.world.note_answered([DecryptItemCommand {
                        sealed_item,
                        ..given.clone()
                    }]);
                }
            }
            Self::List => {
                let list = environment.list_vaults();
                let listed = list
                    .run(&request, &admin, VaultFilter::NONE, None, 10)
                    .await
                    .expect("listed");
                assert_eq!(listed.vaults.len(), 2);
            }
        }
    }

    /// Checks the result once the operation has answered, however often it has run.
    pub(crate) async fn assert_done(self, world: &World, before: &Before) {
        let vaults = all_vaults(world).await;
        let default = world
            .db
            .records
            .default_vault_id(&workspace("ws-acme"))
            .await
            .expect("read");
        let expected = if self == Self::Create { 1 } else { 2 };
        assert_eq!(vaults.len(), expected, "one vault for each that was created");
        let vault = vaults.iter().find(|vault| vault.vault_id == before.vault_id);
        let is_default = vault.is_some() && default.as_ref() == vault.map(|vault| &vault.vault_id);
        match self {
            Self::Create | Self::CreateSecond => {
                let made = vaults
                    .iter()
                    .find(|vault| vault.is_called(&name("Acme")))
                    .expect("made");
                assert_eq!(default.as_ref(), Some(&made.vault_id));
            }
            Self::Update => {
                let vault = vault.expect("there");
                assert_eq!(
                    (&vault.name, vault.data_key_cache, is_default),
                    (&name("Renamed"), bound(5), true)
                );
                assert_eq!(vault.version, before.tag.version + 1, "changed once");
                let old = world.db.records.name_claim(&vault.workspace_id, &name("Acme")).await;
                // If the operation dies just before it releases the old name, a void claim stays: a retry does not know
                // the old name.
                let old = old.expect("read");
                assert!(
                    old.is_none_or(|claim| claim.version < vault.version),
                    "anybody may take the old name"
                );
            }
            Self::UndoDefault => assert_eq!(default, None),
            Self::Disable(mode) => {
                let vault = vault.expect("there");
                let status = match mode {
                    DisableMode::Disabled => VaultStatus::Disabled,
                    DisableMode::DecryptOnly => VaultStatus::DecryptOnly,
                };
                assert_eq!(
                    (vault.status, vault.version, default),
                    (status, before.tag.version + 1, None)
                );
            }
            Self::Enable(_) => {
                let vault = vault.expect("there");
                assert_eq!(
                    (vault.status, vault.version),
                    (VaultStatus::Active, before.tag.version + 1)
                );
                assert_eq!(default, None, "nobody asked for that");
            }
            Self::Validate | Self::Sweep | Self::EncryptRefused => {
                assert_eq!(vault.expect("there").health.state, HealthState::Unusable);
            }
            Self::SweepMended => assert_eq!(vault.expect("there").health.state, HealthState::Healthy),
            Self::DecryptMended => {
                let vault = vault.expect("there");
                assert!(
                    vault.due.at <= latchkey_core::ports::Clock::now(&world.clock).wall,
                    "due at once"
                );
            }
            Self::Encrypt | Self::Decrypt | Self::Reassign | Self::List => {}
        }
        let data_keys = world.db.items().await.iter().filter(|item| is_data_key(item)).count();
        let expected = match self {
            Self::Create | Self::CreateSecond | Self::EncryptRefused => usize::from(self == Self::EncryptRefused),
            Self::Reassign => 2,
            _ => 1,
        };
        assert_eq!(
            data_keys, expected,
            "one data key for each vault that sealed, and for a period"
        );
    }

    /// The changes of health up to the key's recovery, and the number of reminders of a pending deletion.
    pub(crate) const fn told(self) -> (&'static [(HealthState, HealthState)], usize) {
        match self {
            Self::Sweep => (&[FAILURE, RECOVERY], 1),
            Self::Validate | Self::EncryptRefused | Self::SweepMended | Self::DecryptMended => {
                (&[FAILURE, RECOVERY], 0)
            }
            _ => (&[], 0),
        }
    }
}

fn is_data_key(item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>) -> bool {
    let sk = item.get("sk").and_then(|sk| sk.as_s().ok());
    sk.is_some_and(|sk| sk.starts_with("DATAKEY#"))
}

async fn create(environment: &Environment<'_>, called: &str, set_as_default: bool) -> VaultView {
    let settings = VaultSettings {
        name: name(called),
        strategy: Strategy::AwsKms,
        customer_key: customer_key(),
        aws_role_arn: RoleArn::parse(CUSTOMER_ROLE).expect("valid"),
        data_key_cache: bound(30),
    };
    let command = CreateVaultCommand {
        settings,
        set_as_default,
    };
    let created = environment.create_vault().run(&context(), &admin(), command).await;
    created.expect("created").0
}

async fn encrypt(
    environment: &Environment<'_>,
    vault_id: Option<&VaultId>,
    item_id: &str,
) -> Result<Vec<DecryptItemCommand>, Error> {
    let item = EncryptItemCommand {
        item_id: item_id.to_owned(),
        context: [("owner".to_owned(), "ann".to_owned())].into(),
        plaintext: plaintext_of(item_id).into(),
    };
    let encrypt = environment.encrypt_item();
    let sealed = encrypt
        .run(&context(), &admin(), vault_id.cloned(), vec![item])
        .await?
        .items;
    Ok(sealed
        .into_iter()
        .map(|(item_id, sealed_item)| DecryptItemCommand {
            item_id,
            context: [("owner".to_owned(), "ann".to_owned())].into(),
            sealed_item,
        })
        .collect())
}

/// Sweeps only the partitions that have a vault: the others would only take time.
pub(crate) async fn sweep(environment: &Environment<'_>) -> Swept {
    let vaults = all_vaults(environment.world).await;
    let partitions: Vec<_> = vaults.iter().map(|vault| DuePartition::of(&vault.vault_id)).collect();
    let swept = environment
        .sweep_vaults()
        .run(&context(), &partitions, &|_| Ok(()))
        .await;
    swept.expect("swept")
}

pub(crate) fn plaintext_of(item_id: &str) -> Vec<u8> {
    format!("canary of {item_id}").into_bytes()
}

fn bound(seconds: u64) -> DataKeyCacheBound {
    DataKeyCacheBound::from_seconds(seconds).expect("a bound")
}
