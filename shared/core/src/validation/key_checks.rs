//! The checks of the customer's key, in one Region and across both (requirements K1 to K3, R3).

use aws_lc_rs::rand;
use futures::future::join;

use super::remedies;
use super::report::{Check, CheckOutcome};
use crate::access::{AccessError, CustomerAccess, Refusal};
use crate::ports::{CustomerKeys, KeyDescription};
use crate::public_key::CustomerPublicKey;
use crate::region::Region;
use crate::request::RequestContext;

/// What was found out about the key in one Region.
pub(super) struct KeyFacts {
    pub(super) outcomes: Vec<CheckOutcome>,
    pub(super) public_key: Option<CustomerPublicKey>,
    pub(super) key_spec: Option<String>,
}

pub(super) async fn check_key<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    region: Region,
) -> KeyFacts {
    let ((description, public_key), (encrypted, challenge)) = join(
        join(
            customer_keys.describe_key(context, access, region),
            customer_keys.public_key(context, access, region),
        ),
        encrypt_challenge(customer_keys, context, access, region),
    )
    .await;
    let decrypted = decrypt_challenge(
        customer_keys,
        context,
        access,
        region,
        &public_key,
        &encrypted,
        &challenge,
    )
    .await;
    let place = Place { access, region };
    let mut outcomes = place.described(&description);
    outcomes.push(place.allowed(Check::GetPublicKeyAllowed, "kms:GetPublicKey", as_unit(&public_key)));
    outcomes.push(place.allowed(Check::EncryptAllowed, "kms:Encrypt", as_unit(&encrypted)));
    outcomes.push(match decrypted {
        Some(answer) => place.allowed(Check::DecryptAllowed, "kms:Decrypt", answer.as_ref().map(|_| ())),
        None => CheckOutcome::skipped(
            Check::DecryptAllowed,
            Some(region),
            "Not checked: there is nothing to decrypt while neither kms:GetPublicKey nor kms:Encrypt works here.",
        ),
    });
    let key_spec = description.ok().map(|description| description.key_spec);
    KeyFacts {
        outcomes,
        public_key: public_key.ok(),
        key_spec,
    }
}

/// Random bytes of the length of a wrapped data key's payload (SHA-384 and a 256-bit data key).
type Challenge = [u8; 80];

async fn encrypt_challenge<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    region: Region,
) -> (Result<Vec<u8>, AccessError>, Challenge) {
    let mut challenge: Challenge = [0; 80];
    if rand::fill(&mut challenge).is_err() {
        return (Err(AccessError::ServiceMisconfigured), challenge);
    }
    (
        customer_keys.encrypt(context, access, region, &challenge).await,
        challenge,
    )
}

/// Has the challenge decrypted; wrapped with the public key, as data keys are, or else as KMS encrypted it. `None` when
/// there is no ciphertext to try.
async fn decrypt_challenge<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    region: Region,
    public_key: &Result<CustomerPublicKey, AccessError>,
    encrypted: &Result<Vec<u8>, AccessError>,
    challenge: &Challenge,
) -> Option<Result<(), AccessError>> {
    let wrapped = public_key
        .as_ref()
        .ok()
        .and_then(|key| key.wrapping_key().encrypt_oaep_sha256(challenge).ok());
    let ciphertext = wrapped.or_else(|| encrypted.as_ref().ok().cloned())?;
    let answer = customer_keys.decrypt(context, access, region, &ciphertext).await;
    Some(answer.and_then(|plaintext| {
        if plaintext.as_slice() == challenge {
            Ok(())
        } else {
            Err(AccessError::Refused(Refusal::InvalidCiphertext))
        }
    }))
}

fn as_unit<T>(answer: &Result<T, AccessError>) -> Result<(), &AccessError> {
    answer.as_ref().map(|_| ())
}

struct Place<'a> {
    access: &'a CustomerAccess,
    region: Region,
}

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
    fn described(&self, description: &Result<KeyDescription, AccessError>) -> Vec<CheckOutcome> {
        let error = match description {
            Ok(key) => return self.of_description(key),
            Err(error) => error,
        };
        let found = match error {
            AccessError::Refused(Refusal::RoleNotAssumable) => {
                self.skip(Check::KeyFound, "the role does not let us in")
            }
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
            state => self.fail(
                Check::KeyEnabled,
                format!("The key's state is {state}, in which it cannot be used."),
                remedies::enable_key(self.access, self.region),
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
        self.fail(
            check,
            format!(
                "The key is scheduled for deletion: KMS deletes it {when}. From then on nothing sealed with it can ever \
                 be opened again. Until then the deletion can be cancelled."
            ),
            remedies::cancel_deletion(self.access, self.region),
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

    /// The outcome of exercising one of the four actions.
    fn allowed(&self, check: Check, action: &str, answer: Result<(), &AccessError>) -> CheckOutcome {
        match answer {
            Ok(()) => CheckOutcome::pass(check, Some(self.region), format!("{action} works.")),
            Err(AccessError::Refused(refusal)) => match refusal {
                Refusal::AccessDenied => self.fail(
                    check,
                    format!("{action} is denied."),
                    remedies::allow_action(self.access, action),
                ),
                Refusal::InvalidCiphertext => {
                    self.fail(check, remedies::KEY_REPLACED, remedies::RESTORE_KEY.to_owned())
                }
                Refusal::RoleNotAssumable => self.skip(check, "the role does not let us in"),
                Refusal::KeyDisabled
                | Refusal::KeyPendingDeletion
                | Refusal::KeyNotFound
                | Refusal::KeyInvalidState
                | Refusal::InvalidKeyUsage => self.skip(check, "the key itself cannot be used for it"),
            },
            Err(error) => CheckOutcome::unanswered(check, Some(self.region), error),
        }
    }

    fn expect(&self, check: Check, holds: bool, message: impl Into<String>, remedy: String) -> CheckOutcome {
        if holds {
            CheckOutcome::pass(check, Some(self.region), message)
        } else {
            self.fail(check, message, remedy)
        }
    }

    fn fail(&self, check: Check, message: impl Into<String>, remedy: impl Into<String>) -> CheckOutcome {
        CheckOutcome::fail(check, Some(self.region), message, remedy.into())
    }

    fn skip(&self, check: Check, because: &str) -> CheckOutcome {
        CheckOutcome::skipped(check, Some(self.region), format!("Not checked: {because}."))
    }
}

/// The checks that need both Regions' answers.
pub(super) fn compare_regions(
    east: &KeyFacts,
    west: &KeyFacts,
    pinned: Option<&CustomerPublicKey>,
) -> Vec<CheckOutcome> {
    let keys = [east.public_key.as_ref(), west.public_key.as_ref()];
    let public_keys_match = match keys {
        [Some(east), Some(west)] if east == west => {
            CheckOutcome::pass(Check::PublicKeysMatch, None, "Both Regions have the same public key.")
        }
        [Some(_), Some(_)] => CheckOutcome::fail(
            Check::PublicKeysMatch,
            None,
            "The two Regions have different public keys, so what one opens the other does not.",
            remedies::RESTORE_KEY.to_owned(),
        ),
        _ => CheckOutcome::skipped(
            Check::PublicKeysMatch,
            None,
            "Not checked: the public key is not known in both Regions (see get_public_key_allowed).",
        ),
    };
    let known = || keys.into_iter().flatten();
    let public_key_unchanged = match pinned {
        None => CheckOutcome::skipped(
            Check::PublicKeyUnchanged,
            None,
            "Not checked: a new vault has no pinned key yet.",
        ),
        Some(_) if known().count() == 0 => CheckOutcome::skipped(
            Check::PublicKeyUnchanged,
            None,
            "Not checked: no Region told its public key (see get_public_key_allowed).",
        ),
        Some(pinned) if known().all(|key| key == pinned) => CheckOutcome::pass(
            Check::PublicKeyUnchanged,
            None,
            "The public key is the one the vault was created with.",
        ),
        Some(_) => CheckOutcome::fail(
            Check::PublicKeyUnchanged,
            None,
            remedies::KEY_REPLACED,
            remedies::RESTORE_KEY.to_owned(),
        ),
    };
    let key_spec_recommended = match east.key_spec.as_deref().or(west.key_spec.as_deref()) {
        Some("RSA_4096") => CheckOutcome::pass(Check::KeySpecRecommended, None, "The key's spec is RSA_4096."),
        Some(spec) if spec.starts_with("RSA_") => CheckOutcome::warn(
            Check::KeySpecRecommended,
            None,
            format!("The key's spec is {spec}; RSA_4096 is recommended."),
            remedies::new_key("Nothing breaks if you keep this one."),
        ),
        _ => CheckOutcome::skipped(
            Check::KeySpecRecommended,
            None,
            "Not checked: the key is not known to be an RSA key.",
        ),
    };
    vec![public_keys_match, public_key_unchanged, key_spec_recommended]
}
