//! The canary as a function: a round for each invocation, whatever it is invoked with.

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

use futures::FutureExt;
use lambda_runtime::{LambdaEvent, service_fn};
use latchkey_core::ports::DeployedFunctions;
use latchkey_core::request::time_limit;
use latchkey_core::values::RequestId;
use serde::de::IgnoredAny;
use serde_json::Value;
use tracing::{Instrument as _, error_span};

use crate::canary::Canary;
use crate::process::Deployment;
use crate::telemetry::log::Log;

/// Kept back of the function's time, to tell in.
const TIME_TO_TELL: Duration = Duration::from_millis(500);
/// As in `serve`: what a round gets where the Runtime API states no deadline.
const TIME_WITHOUT_DEADLINE: Duration = Duration::from_secs(60);

/// Serves invocations until Lambda ends the environment.
///
/// # Errors
/// When the Runtime API cannot be reached, or the environment does not say which deployment this is.
pub async fn serve_canary<F: DeployedFunctions + 'static>(functions: F) -> Result<(), lambda_runtime::Error> {
    let deployment = Deployment::from_environment()?;
    let canary = Arc::new(Canary { functions, deployment });
    lambda_runtime::run(service_fn(move |invocation: LambdaEvent<IgnoredAny>| {
        let canary = Arc::clone(&canary);
        async move {
            let lambda = invocation.context;
            let time_left = lambda
                .deadline()
                .duration_since(SystemTime::now())
                .unwrap_or(TIME_WITHOUT_DEADLINE);
            let request_id = RequestId::parse(&lambda.request_id).unwrap_or_else(|_| RequestId::generate());
            canary
                .tell(request_id, time_left.saturating_sub(TIME_TO_TELL), io::stdout())
                .await
        }
    }))
    .await
}

impl<F: DeployedFunctions> Canary<F> {
    /// A round within its time, told in one line of the log and in the answer.
    ///
    /// # Errors
    /// When there is nothing to tell: a round that panics, or is not over in time, or a log that takes no more. Then the line is
    /// missing, and the alarm `canary-missing` tells.
    pub async fn tell(
        &self,
        request_id: RequestId,
        time_left: Duration,
        log: impl Write + Send,
    ) -> Result<Value, lambda_runtime::Error> {
        let span = error_span!("invocation", %request_id, operation = "canary");
        let round = AssertUnwindSafe(time_limit::within(time_left, self.round(request_id))).catch_unwind();
        let report = match round.instrument(span).await {
            Ok(Ok(report)) => report,
            Ok(Err(time_limit::Elapsed)) => return Err("the round was not over in time".into()),
            Err(_panic) => return Err("the round panicked".into()),
        };
        let line = report.line(&self.deployment.stage);
        Log::new(log).write(&line)?;
        Ok(serde_json::to_value(&line)?)
    }
}
