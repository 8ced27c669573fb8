//! Lambda function `update-vault`: `PATCH /v1/vaults/{vault_id}`.

use latchkey_aws::{Aws, Settings};
use latchkey_core::operations::UpdateVault;
use latchkey_core::ports::SystemClock;
use latchkey_http::endpoints::UpdateVaultEndpoint;
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
    serve(UpdateVaultEndpoint(UpdateVault {
        store: aws.vault_records(),
        clock: SystemClock,
    }))
    .await
}
