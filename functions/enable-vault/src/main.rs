//! Lambda function `enable-vault`: `POST /v1/vaults/{vault_id}/enable`.

use latchkey_aws::{Aws, Settings};
use latchkey_core::operations::{EnableVault, ValidateVault};
use latchkey_core::ports::SystemClock;
use latchkey_http::endpoints::EnableVaultEndpoint;
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
    let validate_vault = ValidateVault {
        store: aws.vault_records(),
        customer_keys: aws.customer_keys(),
        clock: SystemClock,
        access_role: settings.access_role_arn,
        home: settings.region,
    };
    serve(EnableVaultEndpoint(EnableVault { validate_vault })).await
}
