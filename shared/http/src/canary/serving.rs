//! The canary as a function: each invocation runs one round, whatever the event.

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

/// The part of the function's time that is kept for reporting.
const TIME_TO_TELL: Duration = Duration::from_millis(500);
/// The time of a round if the Runtime API states no deadline, as in `serve`.
const TIME_WITHOUT_DEADLINE: Duration = Duration::from_secs(60);

/// Serves invocations until Lambda ends the environment.
///
/// # Errors
/// If the Runtime API cannot be reached, or the environment does not name the deployment.
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
    /// Runs a round within its time, and reports it in one log line and in the answer.
    ///
    /// # Errors
    /// If there is nothing to report: the round panicked or was not over in time, or the log could not be written. Then
    /// the line is missing, and the alarm `canary-missing` rings.
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
