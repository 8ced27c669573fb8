//! Lambda function `get-setup-kit`: `GET /v1/setup-kit`.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::get_setup_kit()
}
