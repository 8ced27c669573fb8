//! The domain's ports on KMS, STS, DynamoDB, EventBridge and Lambda: the only crate that names an AWS SDK type.
//!
//! | to find | read |
//! | --- | --- |
//! | what comes from the environment | [`settings`] |
//! | clients and retries; timeouts; TLS | `connection`, `deadline_timeouts`, `https` |
//! | the table: keys, records, conditions | [`vault_records`] |
//! | the customer's role and key | [`customer_keys`] |
//! | the events that others hear | [`event_bus`] |
//! | the functions, as the canary invokes them | [`deployed_functions`] |
//! | which Region is not called for a while | `customer_keys::breaker` |
//! | which AWS error is a refusal and which an outage | `customer_keys::errors` |
//! | what is logged of a call that failed | `failed_call` |
//!
//! A function makes its clients from its environment, and the ports from them. Nobody is called until an operation does:
//!
//! ```
//! use latchkey_aws::{Aws, Settings};
//! use latchkey_core::operations::ListVaults;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A function calls `Settings::from_environment`.
//! let settings = Settings::from_variables(|name| {
//!     let value = match name {
//!         "AWS_REGION" => "us-east-2",
//!         "LATCHKEY_STAGE" => "production",
//!         "LATCHKEY_TABLE_NAME" | "LATCHKEY_EVENT_BUS_NAME" => "production-latchkey",
//!         "LATCHKEY_ACCESS_ROLE_ARN" => "arn:aws:iam::111111111111:role/production-kms-byo-key-access-role",
//!         _ => return None,
//!     };
//!     Some(value.to_owned())
//! })?;
//! let aws = Aws::connect(&settings).await;
//! let list_vaults = ListVaults { store: aws.vault_records() };
//! # Ok(())
//! # }
//! ```

pub mod customer_keys;
pub mod deployed_functions;
pub mod event_bus;
pub mod settings;
pub mod vault_records;

mod connection;
mod deadline_timeouts;
mod error_code;
mod failed_call;
mod https;
mod per_region;

pub use connection::Aws;
pub use settings::{Settings, SettingsError};
