//! The checks that rest on kms:DescribeKey (requirements K1 to K3, H1, H2).

use super::key_checks::Place;
use super::remedies;
use super::report::{Check, CheckOutcome};
use crate::access::{AccessError, Refusal};
use crate::ports::KeyDescription;
use crate::region::Region;

impl Place<'_> {
    const DESCRIBED: [Check; 7] = [
        Check::KeyEnabled,
        Check::KeyNotPendingDeletion,
        Check::KeyAsymmetricRsa,
        Check::KeyUsageEncryptDecrypt,
        Check::KeyOriginKms,
        Check::KeyMultiRegion,
        Check::KeyTopology,
    ];

    /// The checks that rest on DescribeKey.
    pub(super) fn described(&self, description: &Result<KeyDescription, AccessError>) -> Vec<CheckOutcome> {
        let error = match description {
            Ok(key) => return self.of_description(key),
            Err(error) => error,
        };
        let found = match error {
            AccessError::Refused(Refusal::RoleNotAssumable) => self.not_let_in(Check::KeyFound, "kms:DescribeKey"),
            AccessError::Refused(Refusal::AccessDenied) => self.fail(
                Check::KeyFound,
                "kms:DescribeKey is denied, so it is not known whether the key is here.",
                remedies::allow_action(self.access, "kms:DescribeKey"),
            ),
            AccessError::Refused(_) => self.fail(
                Check::KeyFound,
                format!("There is no key {} in {}.", self.access.key.key_id, self.region),
                remedies::find_key(self.access, self.region),
            ),
            AccessError::Outage(_) | AccessError::ServiceMisconfigured => {
                CheckOutcome::unanswered(Check::KeyFound, Some(self.region), error)
            }
        };
        let rest = Self::DESCRIBED.map(|check| self.skip(check, "the key could not be described (see key_found)"));
        core::iter::once(found).chain(rest).collect()
    }

    fn of_description(&self, key: &KeyDescription) -> Vec<CheckOutcome> {
        vec![
            CheckOutcome::pass(
                Check::KeyFound,
                Some(self.region),
                format!("The key is here: {}.", key.arn),
            ),
            self.enabled(key),
            self.not_pending_deletion(key),
            self.expect(
                Check::KeyAsymmetricRsa,
                key.key_spec.starts_with("RSA_"),
                format!("The key's spec is {}.", key.key_spec),
                remedies::new_key("An RSA key pair is needed (RSA_4096 is recommended)."),
            ),
            self.expect(
                Check::KeyUsageEncryptDecrypt,
                key.key_usage == "ENCRYPT_DECRYPT",
                format!("The key's usage is {}.", key.key_usage),
                remedies::new_key("The usage must be ENCRYPT_DECRYPT."),
            ),
            self.expect(
                Check::KeyOriginKms,
                key.origin == "AWS_KMS",
                format!("The key material's origin is {}.", key.origin),
                remedies::new_key("The key material must be made in KMS (origin AWS_KMS)."),
            ),
            self.expect(
                Check::KeyMultiRegion,
                key.multi_region_key_type.is_some(),
                match key.multi_region_key_type {
                    Some(_) => "The key is a multi-Region key.",
                    None => "The key is a single-Region key, so an outage of its Region would lock every item.",
                },
                remedies::new_key("The key must be a multi-Region key."),
            ),
            self.topology(key),
        ]
    }

    fn enabled(&self, key: &KeyDescription) -> CheckOutcome {
        match key.key_state.as_str() {
            "Enabled" => CheckOutcome::pass(Check::KeyEnabled, Some(self.region), "The key is enabled."),
            "PendingDeletion" | "PendingReplicaDeletion" => self.skip(
                Check::KeyEnabled,
                "the key is scheduled for deletion (see key_not_pending_deletion)",
            ),
            "Disabled" => self.fail(
                Check::KeyEnabled,
                remedies::KEY_DISABLED,
                remedies::enable_key(self.access, self.region),
            ),
            "Updating" => CheckOutcome::warn(
                Check::KeyEnabled,
                Some(self.region),
                "KMS is changing which key of the set is the primary; the key can be used meanwhile.",
                remedies::WAIT.to_owned(),
            ),
            "Creating" => self.fail(
                Check::KeyEnabled,
                "The key is still being made, so it cannot be used yet.",
                remedies::WAIT,
            ),
            state => self.fail(
                Check::KeyEnabled,
                format!("The key's state is {state}, in which it cannot be used."),
                remedies::new_key("Only a key whose material is made in KMS never gets into this state."),
            ),
        }
    }

    fn not_pending_deletion(&self, key: &KeyDescription) -> CheckOutcome {
        let check = Check::KeyNotPendingDeletion;
        if !matches!(key.key_state.as_str(), "PendingDeletion" | "PendingReplicaDeletion") {
            return CheckOutcome::pass(check, Some(self.region), "The key is not scheduled for deletion.");
        }
        let when = key.deletion_date.map_or_else(
            || "once its waiting period ends".to_owned(),
            |date| format!("on {}", date.strftime("%Y-%m-%d at %H:%M UTC")),
        );
        let found = self.fail(
            check,
            format!(
                "The key is scheduled for deletion: KMS deletes it {when}. From then on nothing sealed with it can ever \
                 be opened again. Until then the deletion can be cancelled."
            ),
            remedies::cancel_deletion(self.access, self.region),
        );
        CheckOutcome {
            deletion_at: key.deletion_date,
            ..found
        }
    }

    fn topology(&self, key: &KeyDescription) -> CheckOutcome {
        let check = Check::KeyTopology;
        let wanted = self.region.multi_region_key_type();
        let Some(actual) = key.multi_region_key_type else {
            return self.skip(check, "the key is a single-Region key (see key_multi_region)");
        };
        let arn = |region| self.access.key.arn(region).as_str().to_owned();
        let primary_fits = key.primary_key_arn.as_deref() == Some(arn(Region::PRIMARY).as_str());
        let replica_fits = key.replica_key_arns.contains(&arn(Region::PRIMARY.other()));
        self.expect(
            check,
            actual == wanted && primary_fits && replica_fits,
            if actual == wanted && primary_fits && replica_fits {
                "The primary key is in us-east-2 and its replica in us-west-2."
            } else {
                "The key's set does not have its primary in us-east-2 and a replica in us-west-2."
            },
            remedies::mend_topology(self.access),
        )
    }
}
