//! What can happen to a workspace's vaults: the operations that are run, and the failures of KMS.

use std::collections::BTreeMap;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use latchkey_core::customer::Outage;
use latchkey_core::health::due::DuePartition;
use latchkey_core::operations::{CreateVaultCommand, DisableMode, EncryptItemCommand, UpdateVaultCommand, VaultFilter};
use latchkey_core::values::{DataKeyCacheBound, Region, Strategy, VaultId};
use latchkey_core::vault::{Precondition, VaultSettings};
use latchkey_in_memory::{KeyState, RegionOutage, RsaKeyPair};
use serde_json::Value;

use super::{FrozenItem, FrozenKey, FrozenService, told};
use crate::fixtures::context;
use crate::record_fixtures::{at, name};
use crate::service::World;

/// A workspace and its vaults, as time goes by.
pub(super) struct Past {
    pub(super) service: FrozenService,
    pub(super) world: World,
}

/// An item to seal.
pub(super) struct ItemToSeal {
    name: &'static str,
    size: usize,
    item_id: &'static str,
    pairs: &'static [(&'static str, &'static str)],
}

impl ItemToSeal {
    /// Takes the item's name among the frozen items, its size in bytes, its id and its context.
    pub(super) const fn new(
        name: &'static str,
        size: usize,
        item_id: &'static str,
        pairs: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            size,
            item_id,
            pairs,
        }
    }
}

impl Past {
    pub(super) async fn begin() -> Self {
        let (began_at, workspace_id) = ("2026-11-24T10:00:00Z", "ws-acme");
        let service = FrozenService {
            frozen_at: began_at.to_owned(),
            workspace_id: workspace_id.to_owned(),
            customer: new_key("222222222222", "mrk-1234abcd12ab34cd56ef1234567890ab", "latchkey"),
            managed: new_key(
                "111111111111",
                "mrk-ffffabcd12ab34cd56ef1234567890ab",
                "production-latchkey-managed-key",
            ),
        };
        let (customer, managed) = service.keys();
        Self {
            world: World::of(customer, Some(managed), at(began_at)).await,
            service,
        }
    }

    pub(super) async fn create(&self, called: &str, strategy: Strategy, bound: u64, set_as_default: bool) -> VaultId {
        let key = match strategy {
            Strategy::AwsKms => &self.service.customer,
            Strategy::Managed => &self.service.managed,
        };
        let settings = VaultSettings {
            name: name(called),
            strategy,
            customer_key: key.key(),
            aws_role_arn: key.role_arn(),
            data_key_cache: DataKeyCacheBound::from_seconds(bound).expect("a bound"),
        };
        let command = CreateVaultCommand {
            settings,
            set_as_default,
        };
        let create = self.world.environment(Region::UsEast2).create_vault();
        let created = create.run(&context(), &self.service.caller(), command).await;
        created.expect("created").0.vault.vault_id
    }

    pub(super) async fn seal(&self, vault_id: &VaultId, item: &ItemToSeal) -> FrozenItem {
        let ItemToSeal {
            name,
            size,
            item_id,
            pairs,
        } = *item;
        let plaintext: Vec<u8> = (0..=250).cycle().take(size).collect();
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let context: BTreeMap<_, _> = pairs.collect();
        let item = EncryptItemCommand {
            item_id: item_id.to_owned(),
            context: context.clone(),
            plaintext: plaintext.clone().into(),
        };
        let encrypt = self.world.environment(Region::UsEast2).encrypt_item();
        let sealed = encrypt
            .run(
                &crate::fixtures::context(),
                &self.service.caller(),
                Some(vault_id.clone()),
                vec![item],
            )
            .await;
        FrozenItem {
            name: name.to_owned(),
            vault_id: vault_id.to_string(),
            item_id: item_id.to_owned(),
            context,
            plaintext: Base64::encode_string(&plaintext),
            sealed_item: Base64::encode_string(&sealed.expect("sealed").items[0].1),
        }
    }

    pub(super) async fn rename(&self, vault_id: &VaultId, to: &str) {
        let change = UpdateVaultCommand {
            name: Some(name(to)),
            ..UpdateVaultCommand::default()
        };
        let update = self.world.environment(Region::UsEast2).update_vault();
        let caller = self.service.caller();
        let updated = update
            .run(&context(), &caller, vault_id, &change, &Precondition::None)
            .await;
        updated.expect("updated");
    }

    pub(super) async fn disable(&self, vault_id: &VaultId, mode: DisableMode) {
        let disable = self.world.environment(Region::UsEast2).disable_vault();
        let disabled = disable.run(&context(), &self.service.caller(), vault_id, mode).await;
        disabled.expect("disabled");
    }

    pub(super) fn small_key(&self) {
        let customer = &self.world.customer;
        customer.change_key(|key| "RSA_2048".clone_into(&mut key.key_spec));
    }

    pub(super) fn key_disabled(&self) {
        self.world.set_key_state(KeyState::Disabled);
    }

    pub(super) fn key_doomed(&self) {
        let deletion_at = at("2026-12-24T10:00:00Z");
        self.world.set_key_state(KeyState::PendingDeletion(deletion_at));
    }

    pub(super) fn silence(&self) {
        self.set_outage(Some(RegionOutage::Fails(Outage::Unreachable)));
    }

    fn set_outage(&self, outage: Option<RegionOutage>) {
        for region in Region::ALL {
            self.world.customer.set_outage(region, outage);
        }
    }

    /// Makes something go wrong. It stays wrong until it is mended.
    pub(super) fn wrong(&self, what: impl Fn(&Self)) -> &Self {
        what(self);
        self
    }

    fn mend(&self) {
        let customer = &self.world.customer;
        customer.change_key(|key| "RSA_4096".clone_into(&mut key.key_spec));
        self.world.set_key_state(KeyState::Enabled);
        self.set_outage(None);
        self.world.clock.advance(Duration::from_secs(1));
    }

    /// A validation of this vault by hand finds the trouble. It is not announced yet.
    pub(super) async fn find(&self, vault_id: &VaultId) {
        let validate = self.world.environment(Region::UsEast2).validate_vault();
        let report = validate.run(&context(), &self.service.caller(), vault_id).await;
        report.expect("validated");
        self.mend();
    }

    /// The sweep finds the trouble and announces it.
    pub(super) async fn announce(&self, vault_id: &VaultId) {
        let (environment, partition) = (self.world.environment(Region::UsEast2), DuePartition::of(vault_id));
        let swept = environment
            .sweep_vaults()
            .run(&context(), &[partition], &|_| Ok(()))
            .await;
        assert_eq!(swept.expect("swept").announced, 2, "the change, and the deletion");
        self.mend();
    }

    pub(super) async fn vaults(&self) -> Vec<Value> {
        let list = self.world.environment(Region::UsEast2).list_vaults();
        let listed = list
            .run(&context(), &self.service.caller(), VaultFilter::NONE, None, 100)
            .await;
        listed.expect("listed").vaults.iter().map(told).collect()
    }
}

fn new_key(aws_account_id: &str, kms_key_id: &str, role: &str) -> FrozenKey {
    let key_pair = RsaKeyPair::generate().expect("a key pair");
    FrozenKey {
        aws_account_id: aws_account_id.to_owned(),
        kms_key_id: kms_key_id.to_owned(),
        aws_role_arn: format!("arn:aws:iam::{aws_account_id}:role/{role}"),
        private_key_pkcs8: Base64::encode_string(key_pair.pkcs8()),
    }
}
