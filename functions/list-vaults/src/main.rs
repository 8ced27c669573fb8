//! Lambda function `list-vaults`: `GET /v1/vaults` and `GET /v1/vaults/{vault_id}`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::list_vaults()
}
