//! Lambda function `create-vault`: `POST /v1/vaults`.

use latchkey_aws::{Aws, Settings};
use latchkey_core::operations::CreateVault;
use latchkey_core::ports::SystemClock;
use latchkey_http::endpoints::CreateVaultEndpoint;
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
    serve(CreateVaultEndpoint(CreateVault {
        store: aws.vault_records(),
        customer_keys: aws.customer_keys(),
        clock: SystemClock,
        access_role: settings.access_role_arn,
        managed_key: settings.managed_key,
        home: settings.region,
    }))
    .await
}
