//! Lambda function `update-vault`: `PATCH /v1/vaults/{vault_id}`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::update_vault()
}
