//! Lambda function `canary`: seals and opens through the other functions, on a schedule.

use latchkey_aws::{Aws, Settings};
use latchkey_http::canary::serve_canary;
use latchkey_http::{ALLOCATOR, Allocator, block_on, init};

#[global_allocator]
static GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;

fn main() -> Result<(), lambda_runtime::Error> {
    block_on(run())
}

async fn run() -> Result<(), lambda_runtime::Error> {
    init();
    let settings = Settings::from_environment()?;
    let aws = Aws::connect(&settings).await;
    serve_canary(aws.deployed_functions()).await
}
