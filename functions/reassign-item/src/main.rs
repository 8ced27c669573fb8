//! Lambda function `reassign-item`: `POST /v1/items/reassign`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::reassign_item()
}
