//! The customer's key: its account, its id and its ARN in each Region (requirements K1 to K3, V1).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::values::{Invalid, Region};

/// A 12-digit AWS account id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AwsAccountId(String);

impl AwsAccountId {
    /// Parses an account id.
    ///
    /// # Errors
    /// [`Invalid`] unless it is exactly 12 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::expected("an AWS account id: 12 digits, as a string"))
        }
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AwsAccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a KMS key: `mrk-` and 32 hexadecimal digits for a multi-Region key, a UUID for a single-Region key.
///
/// A single-Region key parses, so that validation can say what is wrong with it and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KmsKeyId(String);

impl KmsKeyId {
    const EXPECTED: Invalid = Invalid::expected(
        "a KMS key id such as mrk-1234abcd12ab34cd56ef1234567890ab, or the key's ARN in the account given as \
         aws_account_id and in us-east-2 or us-west-2; an alias names no fixed key and is not taken",
    );

    /// Parses a key id.
    ///
    /// # Errors
    /// [`Invalid`] for an alias, an ARN or anything else that is not a key id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let multi_region = text
            .strip_prefix("mrk-")
            .is_some_and(|digits| digits.len() == 32 && hex(digits));
        let groups: Vec<&str> = text.split('-').collect();
        let single_region =
            groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| hex(group));
        if multi_region || single_region {
            Ok(Self(text.to_owned()))
        } else {
            Err(Self::EXPECTED)
        }
    }

    /// Parses what a person pastes: a key id, or a key ARN in `account_id` and in one of the two Regions.
    ///
    /// # Errors
    /// [`Invalid`] for an alias, for an ARN of another account, Region or service, and for anything else.
    pub fn parse_in_account(text: &str, account_id: &AwsAccountId) -> Result<Self, Invalid> {
        let Some(arn) = text.strip_prefix("arn:") else {
            return Self::parse(text);
        };
        let parts: Vec<&str> = arn.splitn(5, ':').collect();
        let ["aws", "kms", region, account, resource] = parts.as_slice() else {
            return Err(Self::EXPECTED);
        };
        let in_place = region.parse::<Region>().is_ok() && *account == account_id.as_str();
        match resource.strip_prefix("key/") {
            Some(key_id) if in_place => Self::parse(key_id),
            _ => Err(Self::EXPECTED),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KmsKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of a key in one Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KmsKeyArn(String);

impl KmsKeyArn {
    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KmsKeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The location of a customer's key: one account and one key id, and so one ARN in each Region.
///
/// Related multi-Region keys share their key id (KMS developer guide, "Multi-Region keys"), so both ARNs are derived
/// and the customer is never asked for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomerKey {
    /// The customer's account.
    pub account_id: AwsAccountId,
    /// The key's id, the same in both Regions.
    pub key_id: KmsKeyId,
}

impl CustomerKey {
    /// The key's ARN in `region`.
    pub fn arn(&self, region: Region) -> KmsKeyArn {
        KmsKeyArn(format!("arn:aws:kms:{region}:{}:key/{}", self.account_id, self.key_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MRK: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

    #[test]
    fn key_ids_of_both_kinds_parse() {
        assert!(KmsKeyId::parse(MRK).is_ok());
        assert!(KmsKeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").is_ok());
    }

    #[test]
    fn what_is_not_a_key_id_does_not() {
        for text in [
            "",
            "mrk-",
            "alias/latchkey",
            "mrk-1234ABCD12AB34CD56EF1234567890AB",
            "1234abcd-12ab-34cd-56ef",
            " ",
        ] {
            assert!(KmsKeyId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_arn_counts_only_in_its_own_account_region_and_service() {
        let account = AwsAccountId::parse("222222222222").expect("valid");
        let parse = |arn: String| KmsKeyId::parse_in_account(&arn, &account);
        assert_eq!(
            parse(format!("arn:aws:kms:us-west-2:222222222222:key/{MRK}")),
            KmsKeyId::parse(MRK)
        );
        for arn in [
            format!("arn:aws:kms:us-west-2:333333333333:key/{MRK}"),
            format!("arn:aws:kms:eu-west-1:222222222222:key/{MRK}"),
            format!("arn:aws:s3:us-west-2:222222222222:key/{MRK}"),
            format!("arn:aws:kms:us-west-2:222222222222:{MRK}"),
            "arn:aws:kms:us-west-2:222222222222:alias/latchkey".to_owned(),
            "arn:".to_owned(),
        ] {
            assert!(parse(arn.clone()).is_err(), "{arn}");
        }
    }

    #[test]
    fn both_arns_are_derived() {
        let key = CustomerKey {
            account_id: AwsAccountId::parse("222222222222").expect("valid"),
            key_id: KmsKeyId::parse(MRK).expect("valid"),
        };
        assert_eq!(
            key.arn(Region::UsWest2).as_str(),
            format!("arn:aws:kms:us-west-2:222222222222:key/{MRK}")
        );
    }
}
