//! The deployment's Lambda functions, which the canary invokes.

use core::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_types::timeout::TimeoutConfig;
use latchkey_core::ports::{DeployedFunctions, InvocationError};
use latchkey_core::values::Region;

use crate::failed_call::FailedCall;
use crate::per_region::PerRegion;

/// The longest that any function may take. Callers with less patience set their own limit
/// (`latchkey_core::request::time_limit`).
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// The alias that every caller uses. It points to the version that serves (template.yaml, `AutoPublishAlias`).
const ALIAS: &str = "live";

/// The timeouts of an invocation. Those not set here are the same as for all other calls.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(LONGEST_ANSWER)
        .operation_timeout(LONGEST_ANSWER)
        .build()
}

/// The functions, invoked through Lambda in both Regions.
#[derive(Clone)]
pub struct LambdaFunctions {
    clients: PerRegion<Client>,
    stage: String,
}

impl LambdaFunctions {
    pub(crate) fn new(clients: PerRegion<Client>, stage: &str) -> Self {
        let stage = stage.to_owned();
        Self { clients, stage }
    }

    /// The function's name in template.yaml.
    fn name(&self, operation: &str) -> String {
        format!("{}-latchkey-{operation}", self.stage)
    }
}

impl DeployedFunctions for LambdaFunctions {
    async fn invoke(&self, operation: &'static str, region: Region, event: String) -> Result<Vec<u8>, InvocationError> {
        let invocation = self
            .clients
            .of(region)
            .invoke()
            .function_name(self.name(operation))
            .qualifier(ALIAS)
            .payload(Blob::new(event));
        match invocation.send().await {
            Ok(answer) if answer.function_error().is_some() => Err(InvocationError::Crashed),
            Ok(answer) => answer.payload.map(Blob::into_inner).ok_or(InvocationError::Unanswered),
            Err(error) => {
                let failed = FailedCall::new("Lambda", "Invoke", &error).in_region(region);
                match &error {
                    SdkError::ServiceError(answer) if !answer.raw().status().is_server_error() => {
                        failed.log_refusal();
                        Err(InvocationError::NotStarted)
                    }
                    _ => {
                        failed.log_outage();
                        Err(InvocationError::Unanswered)
                    }
                }
            }
        }
    }
}
