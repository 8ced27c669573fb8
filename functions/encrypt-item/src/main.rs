//! Lambda function `encrypt-item`: `POST /v1/items/encrypt`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::encrypt_item()
}
