//! The calls that the key checks are based on, in one Region. Each is made, whatever the others answer.

use futures::future::join3;

use crate::customer::{AccessError, CustomerAccess};
use crate::findings::denials::{Permission, Permissions, permission};
use crate::ports::{CustomerKeys, KeyDescription};
use crate::request::RequestContext;
use crate::validation::challenge::Challenge;
use crate::validation::patience::in_half_the_time_left;
use crate::values::{CustomerPublicKey, Region};

/// What one Region answered.
pub(super) struct KeyAnswers {
    pub(super) description: Result<KeyDescription, AccessError>,
    pub(super) public_key: Result<CustomerPublicKey, AccessError>,
    pub(super) encrypted: Result<Vec<u8>, AccessError>,
    /// `None` when there was no ciphertext to try. That can only happen to a new vault's key: every other vault has a
    /// pinned public key to wrap with.
    pub(super) decrypted: Option<Result<(), AccessError>>,
}

pub(super) async fn ask_key<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    region: Region,
    pinned: Option<&CustomerPublicKey>,
) -> KeyAnswers {
    let challenge = Challenge::generate();
    let encrypt = async {
        match &challenge {
            Ok(challenge) => challenge.encrypt(customer_keys, context, access, region).await,
            Err(error) => Err(error.clone()),
        }
    };
    let (description, public_key, encrypted) = join3(
        in_half_the_time_left(context, customer_keys.describe_key(context, access, region)),
        in_half_the_time_left(context, customer_keys.public_key(context, access, region)),
        encrypt,
    )
    .await;
    // The challenge is wrapped with the vault's pinned public key, as its data keys are. A new vault has none, so it is
    // wrapped with the public key of this Region, or else by `kms:Encrypt`.
    let ciphertext = challenge.as_ref().ok().and_then(|challenge| {
        let public_key = pinned.or(public_key.as_ref().ok());
        let wrapped = public_key.and_then(|public_key| challenge.wrapped_with(public_key).ok());
        Some((challenge, wrapped.or_else(|| encrypted.as_ref().ok().cloned())?))
    });
    let decrypted = match ciphertext {
        Some((challenge, ciphertext)) => Some(
            challenge
                .decrypt(customer_keys, context, access, region, &ciphertext)
                .await,
        ),
        None => None,
    };
    KeyAnswers {
        description,
        public_key,
        encrypted,
        decrypted,
    }
}

impl Permissions {
    pub(super) fn of(answers: &KeyAnswers) -> Self {
        Self {
            describe_key: permission(&answers.description),
            get_public_key: permission(&answers.public_key),
            encrypt: permission(&answers.encrypted),
            decrypt: answers.decrypted.as_ref().map_or(Permission::Unknown, permission),
        }
    }
}
