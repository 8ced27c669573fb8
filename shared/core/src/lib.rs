//! The vault domain: who may do what, which key protects which items, and when access ends.
//!
//! Nothing here names a type of the AWS SDK. The domain reaches the outside world through the traits of [`ports`]:
//! `latchkey-aws` implements them on KMS, STS and DynamoDB, `latchkey-in-memory` in one process, for tests.
//!
//! The modules are layers. Each imports only from those above it in this table:
//!
//! | layer | what is in it |
//! | --- | --- |
//! | [`values`] | parsed values: Region, workspace, key, role, names, ids, bounds |
//! | [`request`] | a request under way: deadline, time limits, what the audit log will say |
//! | [`customer`] | the customer's account: access, policies, refusal against outage, the managed key |
//! | [`findings`] | checks, findings and reports; remedies |
//! | [`health`] | what is known about a key and role, how it changes, and when it is checked next |
//! | [`vault`] | a vault, its states, its tag, its data keys on record, what is announced about it |
//! | [`error`], [`caller`] | why an operation fails; who calls, and in which role |
//! | [`ports`] | what the domain needs from the outside world |
//! | [`setup_kit`] | what a customer gets to set up its side |
//! | [`data_keys`] | issue, unwrap, cache, bound, rotation; fail-over between the Regions |
//! | [`validation`] | the live checks of a key and role |
//! | [`operations`] | one operation from start to end |

pub mod caller;
pub mod customer;
pub mod data_keys;
pub mod error;
pub mod findings;
pub mod health;
pub mod operations;
pub mod ports;
pub mod request;
pub mod setup_kit;
pub mod validation;
pub mod values;
pub mod vault;

pub use error::Error;
pub use values::Invalid;
