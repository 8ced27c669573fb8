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
