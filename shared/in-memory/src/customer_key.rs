//! The customer's key in one Region, and when KMS allows its use there.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rsa_key_pair::RsaKeyPair;
use latchkey_core::customer::Refusal;
use latchkey_core::customer::policies::KEY_ACTIONS;
use latchkey_core::ports::KeyDescription;
use latchkey_core::values::{CustomerKey, MultiRegionKeyType, Region};

/// A state of a key, in KMS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The key can be used.
    Enabled,
    /// The customer switched the key off. This can be undone.
    Disabled,
    /// KMS deletes the key at this time.
    PendingDeletion(Timestamp),
    /// A primary key that KMS deletes once its replicas are gone. KMS states no date yet.
    PendingReplicaDeletion,
    /// A replica that KMS is still making.
    Creating,
    /// A key of a set that is changing its primary. The key works meanwhile.
    Updating,
    /// There is no such key.
    Missing,
}

/// The key in one Region.
#[derive(Clone, Debug)]
pub struct RegionalKey {
    /// Its state here.
    pub state: KeyState,
    /// Its material. If it differs from the other Region's, the key was replaced.
    pub key_pair: RsaKeyPair,
    /// Its spec, as DescribeKey returns it. It is only a label: the pair always has 2048 bits.
    pub key_spec: String,
    /// Its usage.
    pub key_usage: String,
    /// Where its material is from.
    pub origin: String,
    /// Its part in its multi-Region set. `None` for a single-Region key.
    pub multi_region_key_type: Option<MultiRegionKeyType>,
    /// The Region of the set's primary.
    pub primary: Region,
    /// The Regions of the set's replicas.
    pub replicas: Vec<Region>,
    /// The actions that the policies allow here.
    pub allowed: BTreeSet<&'static str>,
}

impl RegionalKey {
    /// The key as the setup documentation describes it.
    pub(super) fn as_agreed(region: Region, key_pair: RsaKeyPair) -> Self {
        Self {
            state: KeyState::Enabled,
            key_pair,
            key_spec: "RSA_4096".to_owned(),
            key_usage: "ENCRYPT_DECRYPT".to_owned(),
            origin: "AWS_KMS".to_owned(),
            multi_region_key_type: Some(region.multi_region_key_type()),
            primary: Region::PRIMARY,
            replicas: vec![Region::PRIMARY.other()],
            allowed: KEY_ACTIONS.into(),
        }
    }

    /// Whether KMS would allow RSA-OAEP with the key. Does not consider policies.
    pub(super) fn usable(&self) -> Result<(), Refusal> {
        match self.state {
            KeyState::Missing => Err(Refusal::KeyNotFound),
            KeyState::Disabled => Err(Refusal::KeyDisabled),
            KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion => Err(Refusal::KeyPendingDeletion),
            KeyState::Creating => Err(Refusal::KeyInvalidState),
            KeyState::Enabled | KeyState::Updating
                if !self.key_spec.starts_with("RSA_") || self.key_usage != "ENCRYPT_DECRYPT" =>
            {
                Err(Refusal::InvalidKeyUsage)
            }
            KeyState::Enabled | KeyState::Updating => Ok(()),
        }
    }

    /// What DescribeKey returns, in every state except `Missing`.
    pub(super) fn describe(&self, key: &CustomerKey, region: Region) -> Result<KeyDescription, Refusal> {
        let arn = |region| key.arn(region).as_str().to_owned();
        let (key_state, deletion_date) = match self.state {
            KeyState::Enabled => ("Enabled", None),
            KeyState::Disabled => ("Disabled", None),
            KeyState::PendingDeletion(date) => ("PendingDeletion", Some(date)),
            KeyState::PendingReplicaDeletion => ("PendingReplicaDeletion", None),
            KeyState::Creating => ("Creating", None),
            KeyState::Updating => ("Updating", None),
            KeyState::Missing => return Err(Refusal::KeyNotFound),
        };
        let in_set = self.multi_region_key_type.is_some();
        Ok(KeyDescription {
            arn: arn(region),
            key_state: key_state.to_owned(),
            key_spec: self.key_spec.clone(),
            key_usage: self.key_usage.clone(),
            origin: self.origin.clone(),
            multi_region_key_type: self.multi_region_key_type,
            primary_key_arn: in_set.then(|| arn(self.primary)),
            replica_key_arns: self
                .replicas
                .iter()
                .filter(|_| in_set)
                .map(|&region| arn(region))
                .collect(),
            deletion_date,
        })
    }
}
