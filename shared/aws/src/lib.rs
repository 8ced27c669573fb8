//! The domain's ports on KMS, STS, DynamoDB, EventBridge and Lambda: the only crate that names an AWS SDK type.
//!
//! | to find | read |
//! | --- | --- |
//! | what a function reads from its environment | [`settings`] |
//! | clients and retries; timeouts; TLS | `connection`, `deadline_timeouts`, `https` |
//! | the table: keys, records, conditions | [`vault_records`] |
//! | the customer's role and key | [`customer_keys`] |
//! | the events that we publish | [`event_bus`] |
//! | the functions that the canary invokes | [`deployed_functions`] |
//! | which silent keys and Regions are not called for a while | `customer_keys::breaker` |
//! | whether an AWS error is a refusal or an outage | `customer_keys::errors` |
//!
//! A function makes its clients from its environment, and its operation from the clients. No service is called until the
//! operation runs:
//!
//! ```
//! use latchkey_aws::{Aws, Settings};
//! use latchkey_core::operations::Service;
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
//! let service = Service { ports: Aws::connect(&settings).await, settings: settings.service() };
//! let list_vaults = service.list_vaults();
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
