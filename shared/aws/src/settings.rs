//! What a function reads from its environment.

use std::env;

use latchkey_core::customer::ManagedKey;
use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::operations::ServiceSettings;
use latchkey_core::setup_kit::TemplatesUrl;
use latchkey_core::values::{AwsAccountId, CustomerKey, KmsKeyId, Region, RoleArn};

/// Where a function runs and which resources it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Region we run in (`AWS_REGION`).
    pub region: Region,
    /// The deployment's stage (`LATCHKEY_STAGE`).
    pub stage: String,
    /// How many requests an execution environment serves at a time (`AWS_LAMBDA_MAX_CONCURRENCY`, which Lambda sets; 1 without
    /// it).
    pub max_concurrency: usize,
    /// The event bus that announcements go to (`LATCHKEY_EVENT_BUS_NAME`).
    pub event_bus_name: String,
    /// The table of vault records (`LATCHKEY_TABLE_NAME`).
    pub table_name: String,
    /// The key for workspaces without a key of their own (`LATCHKEY_MANAGED_KEY_ID`,
    /// `LATCHKEY_MANAGED_KEY_ROLE_ARN`). `None` if the id is empty.
    pub managed_key: Option<ManagedKey>,
    /// The service's access role, which customers trust (`LATCHKEY_ACCESS_ROLE_ARN`).
    pub access_role_arn: RoleArn,
    /// Where the AWS console reads the templates of `customer-setup/` (`LATCHKEY_SETUP_KIT_TEMPLATES_URL`, optional).
    pub setup_kit_templates_url: Option<TemplatesUrl>,
}

/// Why a function does not start. The error names the variable, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A variable is missing, or not UTF-8.
    #[error("the environment variable {name} is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// A variable has a value that is not allowed.
    #[error("the environment variable {name} must be {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What the value must be.
        expected: &'static str,
    },
    /// The SDK is told to log the bodies of answers. Those of KMS contain plaintext data keys.
    #[error("the environment variable LOG_SENSITIVE_BODIES must not be true: it logs plaintext data keys")]
    SensitiveBodiesLogged,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`SettingsError`] names the variable that is missing or wrong.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// Reads the environment through `variable`, which returns the value of a variable.
    ///
    /// # Errors
    /// As [`from_environment`](Self::from_environment).
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        // The SDK reads it the same way (aws-smithy-runtime, orchestrator/http.rs).
        if variable("LOG_SENSITIVE_BODIES").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(SettingsError::SensitiveBodiesLogged);
        }
        let required = |name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .ok_or(SettingsError::Missing { name })
        };
        let invalid = |name, expected| SettingsError::Invalid { name, expected };
        let access_role_arn = RoleArn::parse(&required("LATCHKEY_ACCESS_ROLE_ARN")?)
            .map_err(|error| invalid("LATCHKEY_ACCESS_ROLE_ARN", error.expectation()))?;
        let managed_key = match variable("LATCHKEY_MANAGED_KEY_ID").filter(|id| !id.is_empty()) {
            None => None,
            Some(key_id) => {
                let role_arn = RoleArn::parse(&required("LATCHKEY_MANAGED_KEY_ROLE_ARN")?)
                    .map_err(|error| invalid("LATCHKEY_MANAGED_KEY_ROLE_ARN", error.expectation()))?;
                let key_id = KmsKeyId::parse(&key_id)
                    .map_err(|error| invalid("LATCHKEY_MANAGED_KEY_ID", error.expectation()))?;
                let account_id = AwsAccountId::parse(role_arn.account_id())
                    .map_err(|error| invalid("LATCHKEY_MANAGED_KEY_ROLE_ARN", error.expectation()))?;
                Some(ManagedKey {
                    key: CustomerKey { account_id, key_id },
                    role_arn,
                })
            }
        };
        Ok(Self {
            managed_key,
            access_role_arn,
            region: required("AWS_REGION")?
                .parse()
                .map_err(|error: latchkey_core::values::Invalid| invalid("AWS_REGION", error.expectation()))?,
            stage: required("LATCHKEY_STAGE")?,
            // A value that is not a number counts as 1, as it does in the Lambda runtime.
            max_concurrency: variable("AWS_LAMBDA_MAX_CONCURRENCY")
                .and_then(|value| value.parse().ok())
                .unwrap_or(1),
            event_bus_name: Some(required("LATCHKEY_EVENT_BUS_NAME")?)
                .filter(|name| is_event_bus_name(name))
                .ok_or(invalid(
                    "LATCHKEY_EVENT_BUS_NAME",
                    "an event bus's name: 1 to 256 characters of A-Z a-z 0-9 _ . -",
                ))?,
            table_name: Some(required("LATCHKEY_TABLE_NAME")?)
                .filter(|name| is_table_name(name))
                .ok_or(invalid(
                    "LATCHKEY_TABLE_NAME",
                    "a DynamoDB table's name: 3 to 255 characters of A-Z a-z 0-9 _ . -",
                ))?,
            setup_kit_templates_url: variable("LATCHKEY_SETUP_KIT_TEMPLATES_URL")
                .filter(|value| !value.is_empty())
                .map(|value| TemplatesUrl::parse(&value))
                .transpose()
                .map_err(|error| invalid("LATCHKEY_SETUP_KIT_TEMPLATES_URL", error.expectation()))?,
        })
    }

    /// What of it the operations are told.
    pub fn service(&self) -> ServiceSettings {
        ServiceSettings {
            region: self.region,
            access_role: self.access_role_arn.clone(),
            managed_key: self.managed_key.clone(),
            templates_url: self.setup_kit_templates_url.clone(),
            rotation_limits: RotationLimits::DEFAULT,
            max_concurrency: self.max_concurrency,
        }
    }
}

fn is_table_name(name: &str) -> bool {
    (3..=255).contains(&name.len()) && is_plain(name)
}

/// Source: EventBridge API reference, CreateEventBus.
fn is_event_bus_name(name: &str) -> bool {
    (1..=256).contains(&name.len()) && is_plain(name)
}

fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("AWS_REGION", "us-west-2"),
        ("LATCHKEY_STAGE", "production"),
        ("LATCHKEY_EVENT_BUS_NAME", "production-latchkey"),
        ("LATCHKEY_TABLE_NAME", "production-latchkey"),
        (
            "LATCHKEY_ACCESS_ROLE_ARN",
            "arn:aws:iam::111111111111:role/production-kms-byo-key-access-role",
        ),
    ];

    fn read(overrides: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_variables(|name| {
            let pairs = overrides.iter().chain(&GOOD);
            pairs
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
                .next()
        })
    }

    #[test]
    fn five_variables_are_enough() {
        let settings = read(&[]).expect("settings");
        assert_eq!(
            (settings.region, settings.table_name.as_str()),
            (Region::UsWest2, "production-latchkey")
        );
        assert_eq!(settings.access_role_arn.name(), "production-kms-byo-key-access-role");
        assert_eq!(settings.setup_kit_templates_url, None);
    }

    #[test]
    fn the_templates_url_may_be_left_out_but_not_wrong() {
        const NAME: &str = "LATCHKEY_SETUP_KIT_TEMPLATES_URL";
        assert_eq!(read(&[(NAME, "")]).expect("settings").setup_kit_templates_url, None);
        let given = read(&[(NAME, "https://bucket.s3.us-east-2.amazonaws.com/latchkey/")]).expect("settings");
        assert!(given.setup_kit_templates_url.is_some());
        let message = read(&[(NAME, "https://mallory.example/")])
            .expect_err("refused")
            .to_string();
        assert!(message.contains(NAME) && !message.contains("mallory"), "{message}");
    }

    #[test]
    fn a_managed_key_is_there_once_its_id_is() {
        const ROLE: (&str, &str) = (
            "LATCHKEY_MANAGED_KEY_ROLE_ARN",
            "arn:aws:iam::111111111111:role/production-latchkey-managed-key",
        );
        const ID: (&str, &str) = ("LATCHKEY_MANAGED_KEY_ID", "mrk-1234abcd12ab34cd56ef1234567890ab");
        assert_eq!(read(&[ROLE]).expect("settings").managed_key, None);
        assert_eq!(read(&[ROLE, (ID.0, "")]).expect("settings").managed_key, None);
        let managed = read(&[ROLE, ID]).expect("settings").managed_key.expect("a key");
        assert_eq!(
            managed.key.arn(Region::UsWest2).as_str(),
            format!("arn:aws:kms:us-west-2:111111111111:key/{}", ID.1)
        );
        assert!(read(&[ID]).is_err(), "a key without its role");
        assert!(read(&[ROLE, (ID.0, "alias/x")]).is_err());
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        for (name, wrong) in [
            ("AWS_REGION", "eu-west-1"),
            ("LATCHKEY_TABLE_NAME", "a/b/c"),
            ("LATCHKEY_EVENT_BUS_NAME", "a/b/c"),
            ("LATCHKEY_ACCESS_ROLE_ARN", "arn:aws:iam::111111111111:user/mallory"),
        ] {
            for value in [wrong, ""] {
                let message = read(&[(name, value)]).expect_err(name).to_string();
                assert!(message.contains(name), "{message}");
                assert!(!message.contains(wrong), "{message}");
            }
        }
    }

    #[test]
    fn logging_of_sensitive_bodies_keeps_us_from_starting() {
        for value in ["true", "TRUE"] {
            assert_eq!(
                read(&[("LOG_SENSITIVE_BODIES", value)]),
                Err(SettingsError::SensitiveBodiesLogged)
            );
        }
        assert!(read(&[("LOG_SENSITIVE_BODIES", "false")]).is_ok());
    }
}
