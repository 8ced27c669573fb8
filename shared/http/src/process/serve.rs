//! Serves the invocations that Lambda hands to the function.

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use lambda_runtime::{LambdaEvent, service_fn};
use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;
use serde_json::value::RawValue;

use crate::process::{AnyEndpoint, Deployment};

/// The part of the function's time that is kept for the answer.
const TIME_TO_ANSWER: Duration = Duration::from_millis(300);

/// The time of a request whose deadline is in the past, as under cargo-lambda's local Runtime API. Lambda would have ended the
/// environment by then.
const TIME_WITHOUT_DEADLINE: Duration = Duration::from_secs(15);

/// Serves invocations until Lambda ends the environment: one at a time, or as many as the environment variable
/// `AWS_LAMBDA_MAX_CONCURRENCY` says. They share the endpoint with its caches.
///
/// # Errors
/// If the Runtime API cannot be reached, or the settings of the deployment are not valid.
pub async fn serve(endpoint: Box<dyn AnyEndpoint>) -> Result<(), lambda_runtime::Error> {
    let shared = Arc::new((endpoint, Deployment::from_environment()?));
    lambda_runtime::run_concurrent(service_fn(move |invocation: LambdaEvent<Box<RawValue>>| {
        let shared = Arc::clone(&shared);
        async move {
            let (endpoint, deployment) = &*shared;
            let (payload, lambda) = invocation.into_parts();
            let time_left = lambda
                .deadline()
                .duration_since(SystemTime::now())
                .unwrap_or(TIME_WITHOUT_DEADLINE);
            let request_id = RequestId::parse(&lambda.request_id).unwrap_or_else(|_| RequestId::generate());
            let context = RequestContext::new(request_id, time_left.saturating_sub(TIME_TO_ANSWER));
            let mut log = io::stdout();
            Ok::<_, lambda_runtime::Error>(endpoint.answer(deployment, &context, payload, &mut log).await)
        }
    }))
    .await
}
