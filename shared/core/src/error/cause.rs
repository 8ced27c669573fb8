//! The causes of answers that are our fault. docs/logging.md lists their names.

use core::fmt;

use crate::values::VaultId;

/// Why an answer is our fault. Its name appears in the log and in the runbooks, so it must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// DynamoDB refused a call. The log line before this one says which call, and why.
    RecordsRefused,
    /// This release cannot read a record. The log line before this one says what kind of record it is.
    RecordCorrupt,
    /// DynamoDB says that a record exists, but does not return it.
    RecordMissing,
    /// KMS or STS refused a call for a reason that no customer can cause. The log line before this one says which call.
    AwsCallRefused,
    /// KMS unwrapped something that is not this vault's data key.
    DataKeyNotBound,
    /// The pinned public key cannot wrap a data key.
    PublicKeyUnusable,
    /// The random generator returned no bytes.
    NoRandomBytes,
    /// Something that we made does not fit the item format.
    FormatExceeded,
    /// A validation passed, but returned no public key.
    ValidationIncomplete,
    /// A step needed something that an earlier step should have prepared, and it was not there.
    StepSkipped,
    /// A file of `customer-setup/` has no place for a workspace's value, or the archive cannot be made.
    SetupKitBroken,
    /// The answer cannot be written as JSON.
    AnswerNotWritten,
    /// The audit line cannot be written.
    AuditLineNotWritten,
    /// The code panicked. The panic hook logs this cause, with the location.
    Panicked,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 14] = [
        Self::RecordsRefused,
        Self::RecordCorrupt,
        Self::RecordMissing,
        Self::AwsCallRefused,
        Self::DataKeyNotBound,
        Self::PublicKeyUnusable,
        Self::NoRandomBytes,
        Self::FormatExceeded,
        Self::ValidationIncomplete,
        Self::StepSkipped,
        Self::SetupKitBroken,
        Self::AnswerNotWritten,
        Self::AuditLineNotWritten,
        Self::Panicked,
    ];

    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecordsRefused => "records_refused",
            Self::RecordCorrupt => "record_corrupt",
            Self::RecordMissing => "record_missing",
            Self::AwsCallRefused => "aws_call_refused",
            Self::DataKeyNotBound => "data_key_not_bound",
            Self::PublicKeyUnusable => "public_key_unusable",
            Self::NoRandomBytes => "no_random_bytes",
            Self::FormatExceeded => "format_exceeded",
            Self::ValidationIncomplete => "validation_incomplete",
            Self::StepSkipped => "step_skipped",
            Self::SetupKitBroken => "setup_kit_broken",
            Self::AnswerNotWritten => "answer_not_written",
            Self::AuditLineNotWritten => "audit_line_not_written",
            Self::Panicked => "panicked",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::RecordsRefused => "DynamoDB refused a call",
            Self::RecordCorrupt => "a record cannot be read",
            Self::RecordMissing => "a record exists and cannot be found",
            Self::AwsCallRefused => "KMS or STS refused a call that they should accept",
            Self::DataKeyNotBound => "a data key on record is not bound to its vault",
            Self::PublicKeyUnusable => "the pinned public key wraps no data key",
            Self::NoRandomBytes => "the random generator gave no bytes",
            Self::FormatExceeded => "what we made does not fit the item format",
            Self::ValidationIncomplete => "a validation passed without a public key",
            Self::StepSkipped => "a step of the operation was skipped",
            Self::SetupKitBroken => "the setup kit cannot be made",
            Self::AnswerNotWritten => "the answer cannot be written as JSON",
            Self::AuditLineNotWritten => "the audit line cannot be written",
            Self::Panicked => "the code panicked",
        }
    }

    /// Logs the cause of one answer. The open span names the request and the operation.
    pub fn log(self, vault_id: Option<&VaultId>) {
        tracing::error!(
            cause = self.as_str(),
            vault_id = vault_id.map(VaultId::as_str),
            "our fault: {what}",
            what = self.description()
        );
    }
}

/// Logs an error that no answer reports, with what was not done because of it. The level is error if the fault is ours,
/// and warn otherwise.
macro_rules! log_undone {
    ($error:expr, $message:literal) => {
        match $error {
            error @ $crate::error::Error::Internal(_) => tracing::error!(cause = error.name(), $message),
            error => tracing::warn!(cause = error.name(), $message),
        }
    };
}
pub(crate) use log_undone;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_cause_has_a_name_and_a_sentence_of_its_own() {
        let names: BTreeSet<_> = Cause::ALL.map(Cause::as_str).into();
        let sentences: BTreeSet<_> = Cause::ALL.map(Cause::description).into();
        assert_eq!((names.len(), sentences.len()), (Cause::ALL.len(), Cause::ALL.len()));
    }
}
