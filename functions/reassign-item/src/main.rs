//! Lambda function `reassign-item`: `POST /v1/items/reassign`.

use latchkey_aws::{Aws, Settings};
use latchkey_core::data_keys::DataKeys;
use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::operations::{DecryptItem, EncryptItem, ReassignItem};
use latchkey_core::ports::SystemClock;
use latchkey_http::endpoints::ReassignItemEndpoint;
use latchkey_http::{ALLOCATOR, Allocator, block_on, init, serve};

#[global_allocator]
static GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;

fn main() -> Result<(), lambda_runtime::Error> {
    block_on(run())
}

async fn run() -> Result<(), lambda_runtime::Error> {
    init();
    let settings = Settings::from_environment()?;
    let aws = Aws::connect(&settings).await;
    let data_keys = || {
        DataKeys::new(
            aws.vault_records(),
            aws.customer_keys(),
            SystemClock,
            settings.region,
            RotationLimits::DEFAULT,
        )
        .shared_by(settings.max_concurrency)
    };
    let operation = ReassignItem {
        decrypt: DecryptItem {
            store: aws.vault_records(),
            data_keys: data_keys(),
        },
        encrypt: EncryptItem {
            store: aws.vault_records(),
            data_keys: data_keys(),
        },
    };
    serve(ReassignItemEndpoint(operation)).await
}
