//! The calls that the key checks rest on, in one Region. All are made, whatever the others answer.

use aws_lc_rs::rand;
use futures::future::join;

use crate::access::{AccessError, CustomerAccess, Refusal, in_half_the_time_left};
use crate::ports::{CustomerKeys, KeyDescription};
use crate::public_key::CustomerPublicKey;
use crate::region::Region;
use crate::request::RequestContext;

/// What one Region answered.
pub(super) struct KeyAnswers {
    pub(super) description: Result<KeyDescription, AccessError>,
    pub(super) public_key: Result<CustomerPublicKey, AccessError>,
    pub(super) encrypted: Result<Vec<u8>, AccessError>,
    /// `None` when there was no ciphertext to try.
    pub(super) decrypted: Option<Result<(), AccessError>>,
}

pub(super) async fn ask_key<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    region: Region,
) -> KeyAnswers {
    let describe = customer_keys.describe_key(context, access, region);
    let public_key = customer_keys.public_key(context, access, region);
    let ((description, public_key), (encrypted, challenge)) = join(
        join(
            in_half_the_time_left(context, describe),
            in_half_the_time_left(context, public_key),
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
    KeyAnswers {
        description,
        public_key,
        encrypted,
        decrypted,
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
    let encrypt = customer_keys.encrypt(context, access, region, &challenge);
    (in_half_the_time_left(context, encrypt).await, challenge)
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
    let decrypt = customer_keys.decrypt(context, access, region, &ciphertext);
    let answer = in_half_the_time_left(context, decrypt).await;
    Some(answer.and_then(|plaintext| {
        if plaintext.as_slice() == challenge {
            Ok(())
        } else {
            Err(AccessError::Refused(Refusal::InvalidCiphertext))
        }
    }))
}
