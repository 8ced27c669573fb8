//! Quick-create links: CloudFormation's page in the AWS console, with everything filled in.
//!
//! Source: CloudFormation user guide, "Create quick-create links for stacks": `templateURL`, `stackName` and
//! `param_<parameter>` in the query of `#/stacks/create/review`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::setup_kit::ServiceParameters;
use crate::setup_kit::commands::{KEY_STACK, REPLICA_STACK};
use crate::values::{Invalid, Region};

/// Everything but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the service keeps `key-and-role.yaml` and `replica.yaml` for the AWS console. CloudFormation requires a folder
/// in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplatesUrl(String);

/// The links, in the order to follow them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuickCreateLinks {
    /// Creates the key and the role.
    pub key_and_role: String,
    /// Creates the replica. The page asks for `PrimaryKeyArn`, an output of the first stack.
    pub replica: String,
}

impl TemplatesUrl {
    /// Parses the address of a folder in S3, with or without a slash at the end.
    ///
    /// # Errors
    /// [`Invalid`] unless it is an https address in S3, without a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const EXPECTED: Invalid = Invalid::expected(
            "the https address of a folder in S3, such as https://bucket.s3.us-east-2.amazonaws.com/latchkey/",
        );
        let (host, _) = text
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(EXPECTED)?;
        let is_s3 = host.ends_with(".amazonaws.com") && host.split('.').any(|label| label == "s3");
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte));
        if is_s3 && is_plain && text.len() <= 512 {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(EXPECTED)
        }
    }

    pub(super) fn links(&self, parameters: &ServiceParameters<'_>) -> QuickCreateLinks {
        QuickCreateLinks {
            key_and_role: self.link(Region::UsEast2, "key-and-role.yaml", KEY_STACK, &parameters.0),
            replica: self.link(Region::UsWest2, "replica.yaml", REPLICA_STACK, &[]),
        }
    }

    fn link(&self, region: Region, file: &str, stack_name: &str, parameters: &[(&str, &str)]) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let mut link = format!(
            "https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/create/review?\
             templateURL={}&stackName={stack_name}",
            encoded(&format!("{}/{file}", self.0)),
        );
        for (name, value) in parameters {
            link.push_str(&format!("&param_{name}={}", encoded(value)));
        }
        link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_s3_is_taken_and_nothing_else_is() {
        for text in [
            "https://bucket.s3.us-east-2.amazonaws.com/latchkey/",
            "https://s3.us-east-2.amazonaws.com/bucket/latchkey",
            "https://bucket.s3.amazonaws.com/",
        ] {
            assert!(TemplatesUrl::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "http://bucket.s3.amazonaws.com/",
            "https://bucket.s3.amazonaws.com",
            "https://example.com/s3/",
            "https://s3.example.com/.amazonaws.com/",
            "https://bucket.s3.amazonaws.com/?a=b",
            "https://bucket.s3.amazonaws.com/#a",
            "https://user@bucket.s3.amazonaws.com/",
        ] {
            assert!(TemplatesUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_has_the_documented_form() {
        let url = TemplatesUrl::parse("https://bucket.s3.us-east-2.amazonaws.com/latchkey/").expect("valid");
        let links = url.links(&ServiceParameters([("A", "1"), ("B", "a=b&c"), ("C", "d/e")]));
        let template = "https%3A%2F%2Fbucket.s3.us-east-2.amazonaws.com%2Flatchkey%2F";
        assert_eq!(
            links.key_and_role,
            format!(
                "https://us-east-2.console.aws.amazon.com/cloudformation/home?region=us-east-2#/stacks/create/review?\
                 templateURL={template}key-and-role.yaml&stackName=latchkey-key&param_A=1&param_B=a%3Db%26c&param_C=d%2Fe"
            )
        );
        assert_eq!(
            links.replica,
            format!(
                "https://us-west-2.console.aws.amazon.com/cloudformation/home?region=us-west-2#/stacks/create/review?\
                 templateURL={template}replica.yaml&stackName=latchkey-key-replica"
            )
        );
    }
}
