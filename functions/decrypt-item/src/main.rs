//! Lambda function `decrypt-item`: `POST /v1/items/decrypt`.

use latchkey_aws::{Aws, Settings};
use latchkey_core::data_keys::DataKeys;
use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::operations::DecryptItem;
use latchkey_core::ports::SystemClock;
use latchkey_http::endpoints::DecryptItemEndpoint;
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
    let (records, customer_keys) = (aws.vault_records(), aws.customer_keys());
    let data_keys = DataKeys::new(
        records.clone(),
        customer_keys,
        SystemClock,
        settings.region,
        RotationLimits::DEFAULT,
    )
    .shared_by(settings.max_concurrency);
    serve(DecryptItemEndpoint(DecryptItem {
        store: records,
        data_keys,
    }))
    .await
}
