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
//! | who is not asked for a while | `customer_keys::breaker` |
//! | which AWS error is a refusal and which an outage | `customer_keys::errors` |

pub mod customer_keys;
pub mod deployed_functions;
pub mod event_bus;
pub mod settings;
pub mod vault_records;

mod connection;
mod deadline_timeouts;
mod error_code;
mod https;
mod per_region;

pub use connection::Aws;
pub use settings::{Settings, SettingsError};
