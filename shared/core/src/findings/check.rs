//! The checks of a validation, and their results.

use serde::{Deserialize, Serialize};

/// Everything that a validation checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "docs/validation.md says what each one means")]
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
    /// A check of a later version, found on record: after a rollback, this version can still read the record.
    #[serde(other)]
    Unrecognized,
}

/// The result of a check, and of a whole report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as it must be.
    Pass,
    /// It works, but should be changed.
    Warn,
    /// It does not work, or must not stay as it is.
    Fail,
    /// It could not be checked, because another check failed.
    Skipped,
}
