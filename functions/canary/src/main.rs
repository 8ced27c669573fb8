//! Lambda function `canary`: seals and opens through the other functions, on a schedule.

fn main() -> Result<(), latchkey_functions::Error> {
    latchkey_functions::canary()
}
