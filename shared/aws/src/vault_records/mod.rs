//! The vault records in one DynamoDB table.
//!
//! | pk | sk | holds |
//! | --- | --- | --- |
//! | `WORKSPACE#<workspace id>` | `VAULT#<vault id>` | the vault |
//! | `WORKSPACE#<workspace id>` | `NAME#<normalized name>` | a vault's claim on that name |
//! | `WORKSPACE#<workspace id>` | `DEFAULT` | the id of the default vault |
//! | `VAULT#<vault id>` | `DATAKEY#<data key id>` | a data key, wrapped |
//!
//! A vault's record also has `due_partition` and `due_at`, the keys of the table's global index `due`. The index shows
//! which vaults are due for a check, and lags a little behind the records. Before a vault is checked it is therefore
//! claimed in its record, which has `due_claim` from then on.
//!
//! The table is a global table with strong consistency: it has no transactions, no expiry and no local index. Every
//! read of a record is strongly consistent, and a condition on one item decides every race.

mod data_key_record;
mod data_key_store;
mod due_index;
mod errors;
mod fields;
mod health_update;
mod key;
mod name_claim_record;
mod table;
mod vault_pointer_record;
mod vault_record;
mod vault_store;

use table::Table;

/// The vault and data key records. Cloning is cheap.
#[derive(Clone)]
pub struct VaultRecords {
    table: Table,
}

impl VaultRecords {
    pub(crate) fn new(client: aws_sdk_dynamodb::Client, table_name: &str) -> Self {
        Self {
            table: Table::new(client, table_name),
        }
    }
}
