//! Lambda function `disable-vault`: `POST /v1/vaults/{vault_id}/disable`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::disable_vault()
}
