//! What the domain asks of the outside world. Each trait has one implementation on AWS (`latchkey-aws`) and one in one
//! process ([`latchkey_in_memory`]).

mod announcer;
mod clock;
mod customer_keys;
mod data_key_store;
mod deployed_functions;
mod due_vaults;
mod store_error;
mod vault_store;

pub use announcer::{Announcer, AnnouncerError};
pub use clock::{Clock, Moment, SystemClock};
pub use customer_keys::{CustomerKeys, KeyDescription, RoleAttempt};
pub use data_key_store::DataKeyStore;
pub use deployed_functions::{DeployedFunctions, InvocationError};
pub use due_vaults::{DueVault, DueVaults};
pub use store_error::StoreError;
pub use vault_store::{NameClaim, VaultPage, VaultStore};
