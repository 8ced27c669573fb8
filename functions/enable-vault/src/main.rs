//! Lambda function `enable-vault`: `POST /v1/vaults/{vault_id}/enable`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::enable_vault()
}
