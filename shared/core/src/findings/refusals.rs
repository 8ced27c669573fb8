//! A refusal as a finding.

use crate::customer::{CustomerAccess, Refusal};
use crate::findings::denials::Denial;
use crate::findings::{Check, Finding, remedies};
use crate::values::Region;

impl Refusal {
    /// What is wrong and the exact thing to change, as far as a live call can know. A validation says more.
    pub(crate) fn finding(self, access: &CustomerAccess, region: Region) -> Finding {
        let denial = Denial::alone(access, region, "kms:Decrypt");
        let (check, message, remedy) = match self {
            Self::RoleNotAssumable => (
                Check::RoleAssumable,
                remedies::role_not_assumable(access),
                remedies::mend_role(access),
            ),
            Self::AccessDenied => (Check::DecryptAllowed, denial.message(), denial.remedy()),
            Self::KeyDisabled => (
                Check::KeyEnabled,
                remedies::key_disabled(region),
                remedies::enable_key(access, region),
            ),
            Self::KeyPendingDeletion => (
                Check::KeyNotPendingDeletion,
                remedies::key_pending_deletion(
                    region,
                    "once its waiting period ends",
                    remedies::DELETION_ELSEWHERE_UNKNOWN,
                ),
                remedies::cancel_deletion(access, region),
            ),
            Self::KeyNotFound => (
                Check::KeyFound,
                remedies::key_not_found(access, region),
                remedies::find_key(access, region),
            ),
            Self::KeyInvalidState => (
                Check::KeyEnabled,
                remedies::key_invalid_state(region),
                remedies::show_key_state(access, region),
            ),
            Self::InvalidKeyUsage => (
                Check::KeyUsageEncryptDecrypt,
                remedies::key_wrong_usage(region),
                remedies::new_key("The spec and usage of a key are fixed when it is created."),
            ),
            Self::InvalidCiphertext => (
                Check::PublicKeyUnchanged,
                remedies::key_replaced(Some(region)),
                remedies::RESTORE_KEY.to_owned(),
            ),
        };
        Finding {
            check,
            // A role has no Region, and the whole validation reports the role without one too.
            region: (self != Self::RoleNotAssumable).then_some(region),
            message,
            remedy: Some(remedy),
            since: None,
            deletion_at: None,
            unanswered: false,
        }
    }
}
