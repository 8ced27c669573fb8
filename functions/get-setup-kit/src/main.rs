//! Lambda function `get-setup-kit`: `GET /v1/setup-kit`.

use latchkey_aws::Settings;
use latchkey_core::operations::GetSetupKit;
use latchkey_http::endpoints::GetSetupKitEndpoint;
use latchkey_http::{ALLOCATOR, Allocator, block_on, init, serve};

#[global_allocator]
static GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;

fn main() -> Result<(), lambda_runtime::Error> {
    block_on(run())
}

async fn run() -> Result<(), lambda_runtime::Error> {
    init();
    let settings = Settings::from_environment()?;
    serve(GetSetupKitEndpoint(GetSetupKit {
        access_role: settings.access_role_arn,
        templates_url: settings.setup_kit_templates_url,
    }))
    .await
}
