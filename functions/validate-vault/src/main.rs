//! Lambda function `validate-vault`: `POST /v1/vaults/{vault_id}/validate`, and the schedule of health checks.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::validate_vault()
}
