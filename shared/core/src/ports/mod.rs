//! What the domain needs from the outside world. Each trait is implemented on AWS (`latchkey-aws`) and in one process
//! (`latchkey-in-memory`).

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
