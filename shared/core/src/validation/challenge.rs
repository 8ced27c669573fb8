//! A challenge: random bytes that only the holder of the customer's private key can read. A challenge is wrapped as
//! data keys are, so a key that decrypts it also opens data keys.

use aws_lc_rs::rand;

use crate::customer::{AccessError, CustomerAccess, Refusal};
use crate::error::Cause;
use crate::ports::CustomerKeys;
use crate::request::RequestContext;
use crate::validation::patience::in_half_the_time_left;
use crate::values::{CustomerPublicKey, Region};

/// As long as the payload of a wrapped data key (SHA-384 and a 256-bit data key).
pub(super) struct Challenge([u8; 80]);

impl Challenge {
    pub(super) fn generate() -> Result<Self, AccessError> {
        let mut bytes = [0; 80];
        rand::fill(&mut bytes).map_err(|_| our_fault(Cause::NoRandomBytes))?;
        Ok(Self(bytes))
    }

    /// Wraps the challenge here, with a known public key.
    pub(super) fn wrapped_with(&self, public_key: &CustomerPublicKey) -> Result<Vec<u8>, AccessError> {
        let wrapped = public_key.wrapping_key().encrypt_oaep_sha256(&self.0);
        wrapped.map_err(|_| our_fault(Cause::PublicKeyUnusable))
    }

    /// Wraps the challenge with `kms:Encrypt`.
    pub(super) async fn encrypt<K: CustomerKeys>(
        &self,
        customer_keys: &K,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<Vec<u8>, AccessError> {
        in_half_the_time_left(context, customer_keys.encrypt(context, access, region, &self.0)).await
    }

    /// Decrypts a wrapped challenge with `kms:Decrypt`, and compares the answer with the challenge.
    pub(super) async fn decrypt<K: CustomerKeys>(
        &self,
        customer_keys: &K,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<(), AccessError> {
        let decrypt = customer_keys.decrypt(context, access, region, ciphertext);
        let plaintext = in_half_the_time_left(context, decrypt).await?;
        if plaintext.as_slice() == self.0 {
            Ok(())
        } else {
            Err(AccessError::Refused(Refusal::InvalidCiphertext))
        }
    }
}

/// A check that could not be made is no answer of ours, so its cause is logged here.
fn our_fault(cause: Cause) -> AccessError {
    cause.log(None);
    AccessError::ServiceMisconfigured
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use zeroize::Zeroizing;

    use super::*;
    use crate::customer::{AccessPurpose, Outage};
    use crate::ports::{KeyDescription, RoleAttempt};
    use crate::values::{AwsAccountId, CustomerKey, KmsKeyId, RequestId, RoleArn, Strategy, VaultId, WorkspaceId};

    /// Decrypts any ciphertext to the same bytes, and answers no other call.
    struct DecryptsTo([u8; 80]);

    const NO_ANSWER: AccessError = AccessError::Outage(Outage::Unreachable);

    impl CustomerKeys for DecryptsTo {
        async fn prepare(&self, _: Region) {}

        async fn attempt_role(
            &self,
            _: &RequestContext,
            _: &CustomerAccess,
            _: RoleAttempt,
            _: Region,
        ) -> Result<(), AccessError> {
            Err(NO_ANSWER)
        }

        async fn describe_key(
            &self,
            _: &RequestContext,
            _: &CustomerAccess,
            _: Region,
        ) -> Result<KeyDescription, AccessError> {
            Err(NO_ANSWER)
        }

        async fn public_key(
            &self,
            _: &RequestContext,
            _: &CustomerAccess,
            _: Region,
        ) -> Result<CustomerPublicKey, AccessError> {
            Err(NO_ANSWER)
        }

        async fn encrypt(
            &self,
            _: &RequestContext,
            _: &CustomerAccess,
            _: Region,
            _: &[u8],
        ) -> Result<Vec<u8>, AccessError> {
            Err(NO_ANSWER)
        }

        async fn decrypt(
            &self,
            _: &RequestContext,
            _: &CustomerAccess,
            _: Region,
            _: &[u8],
        ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
            Ok(Zeroizing::new(self.0.to_vec()))
        }
    }

    /// A key that decrypts to something else is not the key that the challenge was wrapped for.
    #[tokio::test]
    async fn the_answer_to_another_challenge_is_no_answer() {
        let access = CustomerAccess {
            vault_id: VaultId::generate(),
            workspace_id: WorkspaceId::parse("ws-acme").expect("valid"),
            role_arn: RoleArn::parse("arn:aws:iam::222222222222:role/latchkey").expect("valid"),
            key: CustomerKey {
                account_id: AwsAccountId::parse("222222222222").expect("valid"),
                key_id: KmsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").expect("valid"),
            },
            strategy: Strategy::AwsKms,
            purpose: AccessPurpose::Validate,
        };
        let context = RequestContext::new(RequestId::generate(), Duration::from_secs(60));
        let [challenge, another] = [(); 2].map(|()| Challenge::generate().expect("random"));
        let keys = DecryptsTo(challenge.0);
        let answer = async |challenge: &Challenge| {
            challenge
                .decrypt(&keys, &context, &access, Region::UsEast2, b"wrapped")
                .await
        };
        assert_eq!(answer(&challenge).await, Ok(()));
        assert_eq!(
            answer(&another).await,
            Err(AccessError::Refused(Refusal::InvalidCiphertext))
        );
    }
}
