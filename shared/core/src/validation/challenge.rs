//! A challenge: random bytes that only the holder of the customer's private key can read. Whoever answers it with the same
//! bytes opens data keys too, for a challenge is wrapped as they are.

use aws_lc_rs::rand;

use crate::access::{AccessError, CustomerAccess, Refusal, in_half_the_time_left};
use crate::ports::CustomerKeys;
use crate::public_key::CustomerPublicKey;
use crate::region::Region;
use crate::request::RequestContext;

/// Of the length of a wrapped data key's payload (SHA-384 and a 256-bit data key).
pub(super) struct Challenge([u8; 80]);

impl Challenge {
    pub(super) fn generate() -> Result<Self, AccessError> {
        let mut bytes = [0; 80];
        rand::fill(&mut bytes).map_err(|_| AccessError::ServiceMisconfigured)?;
        Ok(Self(bytes))
    }

    /// Wrapped here, with a public key that is known.
    pub(super) fn wrapped_with(&self, public_key: &CustomerPublicKey) -> Result<Vec<u8>, AccessError> {
        let wrapped = public_key.wrapping_key().encrypt_oaep_sha256(&self.0);
        wrapped.map_err(|_| AccessError::ServiceMisconfigured)
    }

    /// `kms:Encrypt` of the challenge.
    pub(super) async fn encrypt<K: CustomerKeys>(
        &self,
        customer_keys: &K,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<Vec<u8>, AccessError> {
        in_half_the_time_left(context, customer_keys.encrypt(context, access, region, &self.0)).await
    }

    /// `kms:Decrypt` of the challenge; the answer is compared.
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

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::access::CustomerAccess;
    use crate::customer_role::RoleArn;
    use crate::in_memory::{InMemoryCustomer, RsaKeyPair};
    use crate::kms_key::{AwsAccountId, CustomerKey, KmsKeyId};
    use crate::request::RequestId;
    use crate::vault::{DataKeyCacheBound, Strategy, VaultId, VaultName, VaultSettings};
    use crate::workspace::WorkspaceId;

    /// Whoever decrypts, but to something else, does not have the key.
    #[tokio::test]
    async fn the_answer_to_another_challenge_is_no_answer() {
        let key = CustomerKey {
            account_id: AwsAccountId::parse("222222222222").expect("valid"),
            key_id: KmsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").expect("valid"),
        };
        let settings = VaultSettings {
            name: VaultName::parse("Acme").expect("valid"),
            strategy: Strategy::AwsKms,
            customer_key: key.clone(),
            aws_role_arn: RoleArn::parse("arn:aws:iam::222222222222:role/latchkey").expect("valid"),
            data_key_cache: DataKeyCacheBound::from_seconds(30).expect("valid"),
        };
        let workspace_id = WorkspaceId::parse("ws-acme").expect("valid");
        let access = CustomerAccess::to_validate(&VaultId::generate(), &workspace_id, &settings);
        let key_pair = RsaKeyPair::generate().expect("a key pair");
        let customer = InMemoryCustomer::new(key, &key_pair, settings.aws_role_arn, workspace_id);
        let context = RequestContext::new(RequestId::generate(), Duration::from_secs(60));
        let [challenge, another] = [(); 2].map(|()| Challenge::generate().expect("random"));
        let wrapped = challenge.wrapped_with(key_pair.public_key()).expect("wrapped");
        let answer = async |challenge: &Challenge| {
            challenge
                .decrypt(&customer, &context, &access, Region::UsEast2, &wrapped)
                .await
        };
        assert_eq!(answer(&challenge).await, Ok(()));
        assert_eq!(
            answer(&another).await,
            Err(AccessError::Refused(Refusal::InvalidCiphertext))
        );
    }
}
