//! What a validation looks at, and what comes of it.

use serde::{Deserialize, Serialize};

/// Everything a validation looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the names are the documentation; the README's table says what each one means"
)]
pub enum Check {
    RoleAssumable,
    RoleRejectsMissingExternalId,
    RoleRejectsWrongExternalId,
    RoleTrustsOnlyServiceRole,
    KeyFound,
    KeyEnabled,
    KeyNotPendingDeletion,
    KeyAsymmetricRsa,
    KeyUsageEncryptDecrypt,
    KeyOriginKms,
    KeyMultiRegion,
    KeyTopology,
    GetPublicKeyAllowed,
    EncryptAllowed,
    DecryptAllowed,
    PublicKeysMatch,
    PublicKeyUnchanged,
    KeySpecRecommended,
    /// One of a later version, found in a record: whoever deploys back can still read it.
    #[serde(other)]
    Unrecognized,
}

/// The result of a check, and of a whole report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it must be.
    Pass,
    /// It works, but should be changed.
    Warn,
    /// It does not work, or must not be so.
    Fail,
    /// Could not be looked at, because of another failure.
    Skipped,
}
