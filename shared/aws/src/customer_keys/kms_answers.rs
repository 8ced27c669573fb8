//! Reads KMS's answers. An answer about another key than the one we named is refused.

use aws_sdk_kms::operation::decrypt::DecryptOutput;
use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;
use aws_sdk_kms::operation::encrypt::EncryptOutput;
use aws_sdk_kms::operation::get_public_key::GetPublicKeyOutput;
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::{KeyUsageType, MultiRegionKey, MultiRegionKeyType as SdkKeyType};
use jiff::Timestamp;
use latchkey_core::customer::{AccessError, Outage, Refusal};
use latchkey_core::ports::KeyDescription;
use latchkey_core::values::{CustomerPublicKey, KmsKeyArn, MultiRegionKeyType};
use zeroize::Zeroizing;

const INCOMPLETE: AccessError = AccessError::Outage(Outage::ServerError);

pub(super) fn description(output: DescribeKeyOutput, arn: &KmsKeyArn) -> Result<KeyDescription, AccessError> {
    let key = output.key_metadata.ok_or(INCOMPLETE)?;
    of_key(key.arn.as_deref(), arn)?;
    let set = key.multi_region_configuration;
    let replica_keys = set.as_ref().map(|set| set.replica_keys()).unwrap_or_default();
    Ok(KeyDescription {
        replica_key_arns: replica_keys.iter().filter_map(arn_in_set).collect(),
        primary_key_arn: set.as_ref().and_then(|set| arn_in_set(set.primary_key()?)),
        multi_region_key_type: match set.and_then(|set| set.multi_region_key_type) {
            Some(SdkKeyType::Primary) => Some(MultiRegionKeyType::Primary),
            Some(SdkKeyType::Replica) => Some(MultiRegionKeyType::Replica),
            _ => None,
        },
        arn: key.arn.ok_or(INCOMPLETE)?,
        key_state: key.key_state.ok_or(INCOMPLETE)?.as_str().to_owned(),
        key_spec: key.key_spec.ok_or(INCOMPLETE)?.as_str().to_owned(),
        key_usage: key.key_usage.ok_or(INCOMPLETE)?.as_str().to_owned(),
        origin: key.origin.ok_or(INCOMPLETE)?.as_str().to_owned(),
        deletion_date: key.deletion_date.and_then(timestamp),
    })
}

/// A signing key may have an RSA public key too, so the key's usage is checked.
pub(super) fn public_key(output: GetPublicKeyOutput, arn: &KmsKeyArn) -> Result<CustomerPublicKey, AccessError> {
    const OTHER_USAGE: AccessError = AccessError::Refused(Refusal::InvalidKeyUsage);
    of_key(output.key_id.as_deref(), arn)?;
    if output.key_usage != Some(KeyUsageType::EncryptDecrypt) {
        return Err(OTHER_USAGE);
    }
    let der = output.public_key.ok_or(INCOMPLETE)?;
    CustomerPublicKey::from_der(der.as_ref()).map_err(|_| OTHER_USAGE)
}

pub(super) fn ciphertext(output: EncryptOutput, arn: &KmsKeyArn) -> Result<Vec<u8>, AccessError> {
    of_key(output.key_id.as_deref(), arn)?;
    Ok(output.ciphertext_blob.ok_or(INCOMPLETE)?.into_inner())
}

pub(super) fn plaintext(output: DecryptOutput, arn: &KmsKeyArn) -> Result<Zeroizing<Vec<u8>>, AccessError> {
    // Taken before the check, so that the plaintext is zeroed on every path. The buffer that the SDK read it from is
    // zeroed when it is freed (docs/adr/0017).
    let plaintext = output.plaintext.map(|blob| Zeroizing::new(blob.into_inner()));
    of_key(output.key_id.as_deref(), arn)?;
    plaintext.ok_or(INCOMPLETE)
}

/// Checks that KMS used the key that we named. No other key has anything to do with this vault.
fn of_key(answered: Option<&str>, arn: &KmsKeyArn) -> Result<(), AccessError> {
    if answered == Some(arn.as_str()) {
        Ok(())
    } else {
        Err(AccessError::Refused(Refusal::InvalidCiphertext))
    }
}

fn arn_in_set(key: &MultiRegionKey) -> Option<String> {
    key.arn().map(str::to_owned)
}

fn timestamp(date: DateTime) -> Option<Timestamp> {
    Timestamp::new(date.secs(), i32::try_from(date.subsec_nanos()).ok()?).ok()
}
