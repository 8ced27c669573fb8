//! The customer's key and role.

use core::future::Future;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::customer::{AccessError, CustomerAccess};
use crate::request::RequestContext;
use crate::values::{CustomerPublicKey, MultiRegionKeyType, Region};

/// The customer's key and role. Each call goes to the Region it names, in a session of the customer's role that allows
/// only what `access` is for, and is recorded in `context`.
pub trait CustomerKeys: Send + Sync {
    /// Does in advance what the first call in a Region needs for any customer. After one success there is nothing left
    /// to do. It reports no failure: a call that needs the preparation does it itself.
    fn prepare(&self, region: Region) -> impl Future<Output = ()> + Send;

    /// Tries to assume the customer's role. `Ok` means that it let us in.
    fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> impl Future<Output = Result<(), AccessError>> + Send;

    /// `kms:DescribeKey`
    fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> impl Future<Output = Result<KeyDescription, AccessError>> + Send;

    /// `kms:GetPublicKey`. A key that is not RSA, or that cannot wrap, is [`Refusal::InvalidKeyUsage`].
    ///
    /// [`Refusal::InvalidKeyUsage`]: crate::customer::Refusal::InvalidKeyUsage
    fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> impl Future<Output = Result<CustomerPublicKey, AccessError>> + Send;

    /// `kms:Encrypt` with RSAES_OAEP_SHA_256.
    fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, AccessError>> + Send;

    /// `kms:Decrypt` with RSAES_OAEP_SHA_256.
    fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, AccessError>> + Send;
}

/// How to try to assume the customer's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleAttempt {
    /// From the access role, with the workspace's external id. The role must let us in.
    AsAgreed,
    /// From the access role, without an external id. The role must refuse.
    WithoutExternalId,
    /// From the access role, with an external id that is not the workspace's. The role must refuse.
    WithWrongExternalId,
    /// From another role of the service's account, with the right external id. The role lets it in only if its trust
    /// policy names the whole account.
    FromAnotherRole,
}

/// What `kms:DescribeKey` says about a key, in KMS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDescription {
    /// The key's ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, `PendingReplicaDeletion`, `Unavailable`, ...
    pub key_state: String,
    /// `RSA_4096`, `SYMMETRIC_DEFAULT`, ...
    pub key_spec: String,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ...
    pub key_usage: String,
    /// `AWS_KMS`, `EXTERNAL`, ...
    pub origin: String,
    /// Its role in its multi-Region set; `None` for a single-Region key.
    pub multi_region_key_type: Option<MultiRegionKeyType>,
    /// The ARN of its set's primary key.
    pub primary_key_arn: Option<String>,
    /// The ARNs of its set's replica keys.
    pub replica_key_arns: Vec<String>,
    /// When KMS deletes it, if that is scheduled and KMS states the date.
    pub deletion_date: Option<Timestamp>,
}
