//! The vault domain: who may do what, which key seals for whom, and when access ends.
//!
//! Nothing here names an AWS SDK type. What the domain needs from outside it asks for through the traits of
//! [`ports`]; `latchkey-aws` implements them on KMS, STS and DynamoDB, and [`in_memory`] in one process, for tests.
//!
//! | to find | read |
//! | --- | --- |
//! | what a vault is, its states | [`vault`] |
//! | optimistic locking of a vault's changes | [`precondition`] |
//! | whose identity a call carries and what a role may do | [`caller`] |
//! | the customer's key, role and policies | [`kms_key`], [`customer_role`], [`policies`] |
//! | the key that the service owns | [`managed_key`] |
//! | data keys: issue, unwrap, cache, bound, rotation | [`data_keys`], [`data_key_cache`], [`data_key_rotation`] |
//! | fail-over between the Regions, refusal against outage | [`access`] |
//! | how long anything may take; how much of an environment one vault may | [`time_limit`], [`bulkhead`] |
//! | what a customer is handed to set its side up | [`setup_kit`] |
//! | the checks of a validation and their remedies | [`validation`] |
//! | one operation from start to end | [`operations`] |

pub mod access;
pub mod audited_items;
pub mod bulkhead;
pub mod caller;
pub mod customer_role;
pub mod data_key;
pub mod data_key_cache;
pub mod data_key_rotation;
pub mod data_keys;
pub mod error;
pub mod health;
#[cfg(any(test, feature = "in-memory"))]
pub mod in_memory;
pub mod invalid;
pub mod kms_key;
pub mod managed_key;
pub mod operations;
pub mod policies;
pub mod ports;
pub mod precondition;
pub mod public_key;
pub mod region;
pub mod request;
pub mod setup_kit;
pub mod time_limit;
pub mod validation;
pub mod vault;
pub mod workspace;

pub use error::Error;
pub use invalid::Invalid;
