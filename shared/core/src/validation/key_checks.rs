//! The checks of the customer's key in one Region: what it is, and whether each of the four actions works
//! (requirement R3).

use jiff::Timestamp;

use crate::customer::{AccessError, CustomerAccess, Refusal};
use crate::findings::denials::{Denial, Permissions};
use crate::findings::{Check, CheckOutcome, remedies};
use crate::ports::KeyDescription;
use crate::validation::key_calls::KeyAnswers;
use crate::values::Region;

/// The Region of the key, and what else is known. It decides which failures another check explains.
pub(super) struct Place<'a> {
    pub(super) access: &'a CustomerAccess,
    pub(super) region: Region,
    /// Whether the role let us in when the role checks tried it.
    pub(super) role_lets_us_in: bool,
    /// When the validation began.
    pub(super) asked_at: Timestamp,
    /// What is allowed in this Region.
    pub(super) here: Permissions,
    /// What is allowed in the other Region.
    pub(super) there: Permissions,
    /// The key as the other Region describes it.
    pub(super) described_there: Option<&'a KeyDescription>,
}

impl<'a> Place<'a> {
    /// One Region by itself: nothing is known that could explain a failure.
    pub(super) const fn alone(access: &'a CustomerAccess, region: Region, asked_at: Timestamp) -> Self {
        Self {
            access,
            region,
            role_lets_us_in: true,
            asked_at,
            here: Permissions::UNKNOWN,
            there: Permissions::UNKNOWN,
            described_there: None,
        }
    }
}

impl Place<'_> {
    /// All checks of one Region, in the order of the documentation.
    pub(super) fn check_key(&self, answers: &KeyAnswers) -> Vec<CheckOutcome> {
        let mut outcomes = self.described(&answers.description);
        let key_is_unusable = is_unusable(&answers.description);
        let exercised = |check, action, answer| self.exercised(check, action, answer, key_is_unusable);
        outcomes.push(exercised(
            Check::GetPublicKeyAllowed,
            "kms:GetPublicKey",
            as_unit(&answers.public_key),
        ));
        outcomes.push(exercised(
            Check::EncryptAllowed,
            "kms:Encrypt",
            as_unit(&answers.encrypted),
        ));
        outcomes.push(match &answers.decrypted {
            Some(answer) => exercised(Check::DecryptAllowed, "kms:Decrypt", as_unit(answer)),
            None => self.skip(
                Check::DecryptAllowed,
                "there is nothing to decrypt while neither kms:GetPublicKey nor kms:Encrypt works here",
            ),
        });
        outcomes
    }

    /// The outcome of trying one of the actions. A refusal counts as skipped only if another check has failed for the
    /// same cause, so a report never passes while something did not work.
    pub(super) fn exercised(
        &self,
        check: Check,
        action: &'static str,
        answer: Result<(), &AccessError>,
        key_is_unusable: bool,
    ) -> CheckOutcome {
        let refusal = match answer {
            Ok(()) => return self.pass(check, format!("{action} works in {}.", self.region)),
            Err(AccessError::Refused(refusal)) => refusal,
            Err(error) => return CheckOutcome::unanswered(check, Some(self.region), error),
        };
        match refusal {
            Refusal::AccessDenied => {
                let denial = self.denial(action);
                self.fail(check, denial.message(), denial.remedy())
            }
            Refusal::InvalidCiphertext => {
                self.fail(check, remedies::key_replaced(Some(self.region)), remedies::RESTORE_KEY)
            }
            Refusal::RoleNotAssumable => self.not_let_in(check, action),
            Refusal::KeyDisabled
            | Refusal::KeyPendingDeletion
            | Refusal::KeyNotFound
            | Refusal::KeyInvalidState
            | Refusal::InvalidKeyUsage => self.not_usable(check, action, *refusal, key_is_unusable),
        }
    }

    /// The key refused a call. Its description either explains that or contradicts it.
    fn not_usable(&self, check: Check, action: &str, refusal: Refusal, key_is_unusable: bool) -> CheckOutcome {
        if key_is_unusable {
            return self.skip(check, "the key itself cannot be used for it");
        }
        let finding = refusal.finding(self.access, self.region);
        let message = format!("{action} is refused in {}. {}", self.region, finding.message);
        self.fail(check, message, finding.remedy.unwrap_or_default())
    }

    /// The role refused a session for a call. The role checks either explain that or have not seen it.
    pub(super) fn not_let_in(&self, check: Check, action: &str) -> CheckOutcome {
        if self.role_lets_us_in {
            self.fail(
                check,
                format!(
                    "The role let the service in when asked to, but not for {action} in {}. Perhaps it was changed in \
                     between. No data is lost.",
                    self.region
                ),
                remedies::mend_role(self.access),
            )
        } else {
            self.skip(check, "the role does not let the service in (see role_assumable)")
        }
    }

    pub(super) fn denial(&self, action: &'static str) -> Denial<'_> {
        Denial::new(self.access, self.region, action, &self.here, &self.there)
    }

    pub(super) fn pass(&self, check: Check, message: impl Into<String>) -> CheckOutcome {
        CheckOutcome::pass(check, Some(self.region), message)
    }

    pub(super) fn fail(&self, check: Check, message: impl Into<String>, remedy: impl Into<String>) -> CheckOutcome {
        CheckOutcome::fail(check, Some(self.region), message, remedy.into())
    }

    pub(super) fn skip(&self, check: Check, because: &str) -> CheckOutcome {
        CheckOutcome::skipped(check, Some(self.region), format!("Not checked: {because}."))
    }
}

fn as_unit<T>(answer: &Result<T, AccessError>) -> Result<(), &AccessError> {
    answer.as_ref().map(|_| ())
}

/// Whether the description itself shows that the key cannot be used. If so, one of the checks of the description has
/// failed.
fn is_unusable(description: &Result<KeyDescription, AccessError>) -> bool {
    match description {
        Ok(key) => {
            !matches!(key.key_state.as_str(), "Enabled" | "Updating")
                || !key.key_spec.starts_with("RSA_")
                || key.key_usage != "ENCRYPT_DECRYPT"
        }
        Err(error) => *error == AccessError::Refused(Refusal::KeyNotFound),
    }
}
