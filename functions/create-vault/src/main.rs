//! Lambda function `create-vault`: `POST /v1/vaults`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::create_vault()
}
