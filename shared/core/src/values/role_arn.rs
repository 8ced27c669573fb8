//! The ARN of the customer's role (requirement R1).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::values::{AwsAccountId, Invalid};

/// The ARN of an IAM role.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleArn(String);

impl RoleArn {
    /// Parses `arn:aws:iam::<12 digits>:role/<path and name>`.
    ///
    /// # Errors
    /// [`Invalid`] for any other text. Names are 1 to 64 characters of `A-Z a-z 0-9 _ + = , . @ -` and paths up to
    /// 512 (IAM API reference, CreateRole).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const EXPECTED: Invalid =
            Invalid::expected("a role ARN such as arn:aws:iam::123456789012:role/latchkey-key-access");
        let (account, path_and_name) = text
            .strip_prefix("arn:aws:iam::")
            .and_then(|rest| rest.split_once(":role/"))
            .ok_or(EXPECTED)?;
        AwsAccountId::parse(account).map_err(|_| EXPECTED)?;
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        let name_fits = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
        let path_fits = path.len() <= 510
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"*?:".contains(&byte));
        if name_fits && path_fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(EXPECTED)
        }
    }

    /// Whether the role is in `account_id`.
    pub fn is_in(&self, account_id: &AwsAccountId) -> bool {
        self.account_id() == account_id.as_str()
    }

    /// The role's name without its path, as the IAM console and CLI take it.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The twelve digits of the role's account.
    pub fn account_id(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// The principal that stands for the role's whole account in a policy.
    pub fn account_root(&self) -> String {
        let account = self.0.split(":role/").next().unwrap_or_default();
        format!("{account}:root")
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arns_parse_with_and_without_a_path() {
        let plain = RoleArn::parse("arn:aws:iam::222222222222:role/latchkey").expect("valid");
        let nested = RoleArn::parse("arn:aws:iam::222222222222:role/security/byok/latchkey").expect("valid");
        assert_eq!((plain.name(), nested.name()), ("latchkey", "latchkey"));
        assert_eq!(nested.account_root(), "arn:aws:iam::222222222222:root");
        assert_eq!(nested.account_id(), "222222222222");
        assert!(plain.is_in(&AwsAccountId::parse("222222222222").expect("valid")));
        assert!(!plain.is_in(&AwsAccountId::parse("333333333333").expect("valid")));
    }

    #[test]
    fn what_is_not_a_role_arn_does_not() {
        for text in [
            "",
            "latchkey",
            "arn:aws:iam::222222222222:user/latchkey",
            "arn:aws:iam::22222222222:role/latchkey",
            "arn:aws:iam::222222222222:role/",
            "arn:aws:iam::222222222222:role/*",
            "arn:aws:iam::222222222222:role/a b",
            "arn:aws:sts::222222222222:assumed-role/latchkey/session",
        ] {
            assert!(RoleArn::parse(text).is_err(), "{text}");
        }
    }
}
