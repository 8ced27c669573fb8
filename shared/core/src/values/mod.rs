//! Parsed values, valid by construction: the vocabulary of the whole crate.
//!
//! This layer depends on no other layer.

mod data_key_cache_bound;
mod invalid;
mod kms_key;
mod public_key;
mod region;
mod request_id;
mod role_arn;
mod strategy;
mod vault_id;
mod vault_name;
mod workspace;

pub use data_key_cache_bound::DataKeyCacheBound;
pub use invalid::Invalid;
pub use kms_key::{AwsAccountId, CustomerKey, KmsKeyArn, KmsKeyId};
pub use public_key::CustomerPublicKey;
pub use region::{MultiRegionKeyType, Region};
pub use request_id::RequestId;
pub use role_arn::RoleArn;
pub use strategy::Strategy;
pub use vault_id::VaultId;
pub use vault_name::VaultName;
pub use workspace::WorkspaceId;
