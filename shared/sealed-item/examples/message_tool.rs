//! Seals and opens messages for the tests against the official SDKs. Reads one JSON command from standard input and
//! writes one JSON answer to standard output; binary values are base64. On failure it writes `{"error": ...}` and exits
//! with status 1.
//!
//! For tests only: it reads and writes secrets in the clear. See tests/interop/.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use base64ct::{Base64, Encoding};
use sealed_item::kms_rsa_keyring::unwrap_payload;
use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, ItemIdentity, ItemSealingParameters, Message, MessageId,
    MessageParameters, PlaintextDataKey, WrappingPublicKey, message, seal_item,
};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
enum Command {
    /// Seals a plaintext under a data key.
    Seal {
        key_arn: String,
        #[serde(flatten)]
        key: Key,
        encryption_context: BTreeMap<String, String>,
        plaintext: String,
        /// As an item with this identity, or as a message with this frame length.
        #[serde(flatten)]
        shape: Shape,
    },
    /// Tells what to ask KMS for.
    Inspect { message: String },
    /// Opens a message with what `kms:Decrypt` returned.
    Open { message: String, kms_plaintext: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    /// A fresh data key, wrapped with this public key in DER, as `kms:GetPublicKey` returns it.
    Fresh { public_key: String },
    /// A data key that was wrapped before, and what `kms:Decrypt` returns for it.
    Known {
        encrypted_data_key: String,
        kms_plaintext: String,
    },
}

impl Key {
    /// The data key in the clear, and wrapped.
    fn take(&self, encryption_context: &EncryptionContext) -> Result<(PlaintextDataKey, Vec<u8>), Box<dyn Error>> {
        match self {
            Self::Fresh { public_key } => {
                let data_key = PlaintextDataKey::generate()?;
                let public_key = WrappingPublicKey::from_der(&decode(public_key)?)?;
                let wrapped = public_key.wrap(encryption_context, &data_key)?;
                Ok((data_key, wrapped))
            }
            Self::Known {
                encrypted_data_key,
                kms_plaintext,
            } => {
                let data_key = unwrap_payload(encryption_context, Zeroizing::new(decode(kms_plaintext)?))?;
                Ok((data_key, decode(encrypted_data_key)?))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    Item {
        item_id: String,
        context: BTreeMap<String, String>,
    },
    Message {
        frame_length: u32,
    },
}

fn main() -> ExitCode {
    let (answer, status) = match answer() {
        Ok(answer) => (answer, ExitCode::SUCCESS),
        Err(error) => (json!({ "error": error.to_string() }), ExitCode::FAILURE),
    };
    match io::stdout().write_all(answer.to_string().as_bytes()) {
        Ok(()) => status,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer() -> Result<Value, Box<dyn Error>> {
    let mut input = String::new();
    io::stdin().read_to_string(&mut input)?;
    match serde_json::from_str(&input)? {
        Command::Seal {
            key_arn,
            key,
            encryption_context,
            plaintext,
            shape,
        } => {
            let encryption_context = EncryptionContext::new(encryption_context)?;
            let (data_key, wrapped) = key.take(&encryption_context)?;
            let encrypted_data_key = EncryptedDataKey::kms_rsa(&key_arn, wrapped)?;
            let plaintext = decode(&plaintext)?;
            let message = match shape {
                Shape::Item { item_id, context } => seal_item(
                    &ItemSealingParameters {
                        data_key: &data_key,
                        encrypted_data_key: &encrypted_data_key,
                        encryption_context: &encryption_context,
                    },
                    &ItemIdentity::new(&item_id, &context),
                    &plaintext,
                )?,
                Shape::Message { frame_length } => message::seal(
                    &MessageParameters {
                        data_key: &data_key,
                        encrypted_data_key: &encrypted_data_key,
                        encryption_context: &encryption_context,
                        message_id: &MessageId::generate()?,
                        frame_length: FrameLength::new(frame_length)?,
                    },
                    &plaintext,
                )?,
            };
            Ok(json!({ "message": Base64::encode_string(&message) }))
        }
        Command::Inspect { message } => {
            let bytes = decode(&message)?;
            let message = Message::parse(&bytes)?;
            let encrypted_data_key = message.encrypted_data_key();
            Ok(json!({
                "key_provider_id": encrypted_data_key.key_provider_id(),
                "key_arn": encrypted_data_key.key_arn(),
                "encrypted_data_key": Base64::encode_string(encrypted_data_key.ciphertext()),
                "encryption_context": message.encryption_context().iter().collect::<BTreeMap<_, _>>(),
                "frame_length": message.frame_length().map(FrameLength::as_u32),
                "frame_count": message.frame_count(),
            }))
        }
        Command::Open { message, kms_plaintext } => {
            let bytes = decode(&message)?;
            let message = Message::parse(&bytes)?;
            let data_key = unwrap_payload(message.encryption_context(), Zeroizing::new(decode(&kms_plaintext)?))?;
            Ok(json!({ "plaintext": Base64::encode_string(message.open(&data_key)?.as_bytes()) }))
        }
    }
}

fn decode(base64: &str) -> Result<Vec<u8>, base64ct::Error> {
    Base64::decode_vec(base64)
}
