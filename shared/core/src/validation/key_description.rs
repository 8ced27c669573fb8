//! The checks that are based on kms:DescribeKey (requirements K1 to K3, H1, H2).

use crate::customer::{AccessError, Refusal};
use crate::findings::{Check, CheckOutcome, remedies};
use crate::ports::KeyDescription;
use crate::validation::key_checks::Place;
use crate::values::Region;

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

    /// The checks that are based on DescribeKey.
    pub(super) fn described(&self, description: &Result<KeyDescription, AccessError>) -> Vec<CheckOutcome> {
        let error = match description {
            Ok(key) => return self.of_description(key),
            Err(error) => error,
        };
        let found = match error {
            AccessError::Refused(Refusal::RoleNotAssumable) => self.not_let_in(Check::KeyFound, "kms:DescribeKey"),
            AccessError::Refused(Refusal::AccessDenied) => {
                let denial = self.denial("kms:DescribeKey");
                self.fail(Check::KeyFound, denial.message(), denial.remedy())
            }
            AccessError::Refused(refusal) => {
                let finding = refusal.finding(self.access, self.region);
                self.fail(Check::KeyFound, finding.message, finding.remedy.unwrap_or_default())
            }
            AccessError::Outage(_) | AccessError::ServiceMisconfigured => {
                CheckOutcome::unanswered(Check::KeyFound, Some(self.region), error)
            }
        };
        let rest = Self::DESCRIBED.map(|check| self.skip(check, "the key could not be described (see key_found)"));
        core::iter::once(found).chain(rest).collect()
    }

    fn of_description(&self, key: &KeyDescription) -> Vec<CheckOutcome> {
        vec![
            self.pass(
                Check::KeyFound,
                format!("The key is there in {}: {}.", self.region, key.arn),
            ),
            self.enabled(key),
            self.not_pending_deletion(key),
            self.kind(
                Check::KeyAsymmetricRsa,
                "spec",
                &key.key_spec,
                "RSA_2048, RSA_3072 or RSA_4096",
                |spec| spec.starts_with("RSA_"),
            ),
            self.kind(
                Check::KeyUsageEncryptDecrypt,
                "usage",
                &key.key_usage,
                "ENCRYPT_DECRYPT",
                |usage| usage == "ENCRYPT_DECRYPT",
            ),
            self.kind(Check::KeyOriginKms, "origin", &key.origin, "AWS_KMS", |origin| {
                origin == "AWS_KMS"
            }),
            self.multi_region(key),
            self.topology(key),
        ]
    }

    /// A property that is fixed for the life of the key.
    fn kind(&self, check: Check, property: &str, actual: &str, wanted: &str, fits: fn(&str) -> bool) -> CheckOutcome {
        let region = self.region;
        if fits(actual) {
            return self.pass(check, format!("The key's {property} in {region} is {actual}."));
        }
        self.fail(
            check,
            format!(
                "The key's {property} in {region} is {actual}; it must be {wanted}. That is permanent. No vault can be \
                 created with such a key, so no item was sealed for it."
            ),
            remedies::new_key(&format!("The service needs a key whose {property} is {wanted}.")),
        )
    }

    fn enabled(&self, key: &KeyDescription) -> CheckOutcome {
        let (check, region) = (Check::KeyEnabled, self.region);
        match key.key_state.as_str() {
            "Enabled" => self.pass(check, format!("The key in {region} is enabled.")),
            "PendingDeletion" | "PendingReplicaDeletion" => {
                self.skip(check, "the key is scheduled for deletion (see key_not_pending_deletion)")
            }
            "Disabled" => self.fail(
                check,
                remedies::key_disabled(region),
                remedies::enable_key(self.access, region),
            ),
            "Updating" => CheckOutcome::warn(
                check,
                Some(region),
                format!(
                    "KMS is changing which Region holds the primary key. The key in {region} works meanwhile, and no data is \
                     affected."
                ),
                remedies::WAIT.to_owned(),
            ),
            "Creating" => self.fail(
                check,
                format!("The key in {region} is still being created, so it cannot be used yet. No data is lost."),
                remedies::WAIT,
            ),
            state => self.fail(
                check,
                format!(
                    "The key in {region} is in the state {state}, in which it cannot be used. Items cannot be opened through \
                     {region}. They are locked; whether this can be undone depends on the state."
                ),
                format!(
                    "{}. A key whose material is made in KMS does not get into this state.",
                    remedies::show_key_state(self.access, region)
                ),
            ),
        }
    }

    fn not_pending_deletion(&self, key: &KeyDescription) -> CheckOutcome {
        let (check, region) = (Check::KeyNotPendingDeletion, self.region);
        if !is_to_be_deleted(key) {
            return self.pass(check, format!("The key in {region} is not scheduled for deletion."));
        }
        let when = match key.deletion_date {
            Some(date) => remedies::deletion_date(date, self.asked_at),
            None if key.key_state == "PendingReplicaDeletion" => {
                "once its replicas are deleted and its waiting period has ended".to_owned()
            }
            None => "once its waiting period ends".to_owned(),
        };
        let found = self.fail(
            check,
            remedies::key_pending_deletion(region, &when, &self.deletion_elsewhere(key)),
            remedies::cancel_deletion(self.access, region),
        );
        CheckOutcome {
            deletion_at: key.deletion_date,
            ..found
        }
    }

    /// What remains if this Region's key is deleted.
    fn deletion_elsewhere(&self, key: &KeyDescription) -> String {
        let other = self.region.other();
        match self.described_there {
            _ if key.multi_region_key_type.is_none() => {
                "It is a single-Region key: once it is deleted, nothing sealed with it can ever be opened again."
                    .to_owned()
            }
            Some(there) if is_to_be_deleted(there) => format!(
                "The key in {other} is scheduled for deletion as well: once both are deleted, nothing sealed with it can \
                 ever be opened again."
            ),
            Some(_) => format!(
                "The key in {other} is not scheduled for deletion: as long as it is kept, no data is lost. {}",
                remedies::DELETION_ELSEWHERE_UNKNOWN
            ),
            None => remedies::DELETION_ELSEWHERE_UNKNOWN.to_owned(),
        }
    }

    fn multi_region(&self, key: &KeyDescription) -> CheckOutcome {
        let (check, region) = (Check::KeyMultiRegion, self.region);
        if key.multi_region_key_type.is_some() {
            return self.pass(check, format!("The key in {region} is a multi-Region key."));
        }
        self.fail(
            check,
            format!(
                "The key in {region} is a single-Region key. That is permanent. It has no replica, so an outage of {region} \
                 would lock every item; no data is lost by it."
            ),
            remedies::new_key("The service needs a multi-Region key."),
        )
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
        if actual == wanted && primary_fits && replica_fits {
            return self.pass(check, "The primary key is in us-east-2 and its replica in us-west-2.");
        }
        let replicas = match key.replica_key_arns.as_slice() {
            [] => "no replica".to_owned(),
            arns => format!("{} as replica", arns.join(", ")),
        };
        self.fail(
            check,
            format!(
                "The primary key must be in us-east-2 and a replica in us-west-2. KMS in {} names {} as primary and \
                 {replicas}. This can be undone, and no data is lost by it.",
                self.region,
                key.primary_key_arn.as_deref().unwrap_or("no key"),
            ),
            remedies::mend_topology(self.access),
        )
    }
}

fn is_to_be_deleted(key: &KeyDescription) -> bool {
    matches!(key.key_state.as_str(), "PendingDeletion" | "PendingReplicaDeletion")
}
