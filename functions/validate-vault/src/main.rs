//! Lambda function `validate-vault`: `POST /v1/vaults/{vault_id}/validate`, and the schedule of health checks.

use latchkey_aws::{Aws, Settings};
use latchkey_core::operations::{SweepVaults, ValidateVault};
use latchkey_core::ports::SystemClock;
use latchkey_http::endpoints::ValidateVaultEndpoint;
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
    serve(ValidateVaultEndpoint {
        operation: SweepVaults {
            validate_vault,
            announcer: aws.event_bus(),
        },
        stage: settings.stage,
    })
    .await
}
