//! Lambda function `decrypt-item`: `POST /v1/items/decrypt`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::decrypt_item()
}
