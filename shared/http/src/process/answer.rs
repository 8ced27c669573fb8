//! One invocation from event to answer: the caller, the operation within its time limit, the audit line, the response.

use core::panic::AssertUnwindSafe;
use std::io::Write;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use latchkey_core::caller::Caller;
use latchkey_core::error::Cause;
use latchkey_core::request::{RequestContext, time_limit};
use serde_json::value::RawValue;
use tracing::{Instrument as _, Span, error_span, field};

use crate::answers::{Problem, Response, Success, respond};
use crate::endpoints::Endpoint;
use crate::event::{ApiRequest, Event};
use crate::process::Deployment;
use crate::telemetry::audit::{AuditOutcome, AuditRecord};
use crate::telemetry::log::Log;
use crate::telemetry::metrics::RequestMetrics;

/// Answers one invocation, and writes its line to the audit log. If the line cannot be written, the answer is a 500.
///
/// Panics outside the operation are caught here. The runtime would pass a panic's message to the invoker and the log, and the
/// message may quote input.
///
/// Every log line has a span that names the request and the operation.
pub async fn answer<E: Endpoint>(
    endpoint: &E,
    deployment: &Deployment,
    context: &RequestContext,
    payload: Box<RawValue>,
    log: impl Write + Send,
) -> Response {
    let span = error_span!(
        "invocation",
        request_id = %context.request_id,
        operation = E::OPERATION.name(),
        vault_id = field::Empty
    );
    let answered = answer_audited(endpoint, deployment, context, payload, log);
    let answered = AssertUnwindSafe(answered).catch_unwind().instrument(span).await;
    answered.unwrap_or_else(|_panic| {
        let problem = Problem::internal(Cause::Panicked).with_request_id(context.request_id.to_string());
        respond(context, Err(problem))
    })
}

async fn answer_audited<E: Endpoint>(
    endpoint: &E,
    deployment: &Deployment,
    context: &RequestContext,
    payload: Box<RawValue>,
    log: impl Write + Send,
) -> Response {
    let log = Log::new(log);
    let started = Instant::now();
    let event = Event::from_payload(&payload, deployment.rest_claims_place);
    drop(payload); // it holds the caller's token, so it is freed before the operation starts
    let (caller, request, outcome) = match &event {
        Event::Api(request) => match deployment.claim_names.caller(&request.claims) {
            Ok(caller) => {
                name_in_span::<E>(request);
                let outcome = run(endpoint, context, &caller, request).await;
                (Some(caller), Some(request.as_ref()), outcome)
            }
            Err(_) => (None, Some(request.as_ref()), Err(Problem::no_caller())),
        },
        Event::Sweep { shard, shards } => {
            let sweep = endpoint
                .sweep(context, &deployment.stage, *shard, *shards, &log)
                .boxed();
            (None, None, within_time(context, sweep).await)
        }
        Event::Unknown => (None, None, Err(Problem::unknown_event())),
    };
    let outcome = outcome
        .inspect_err(|problem| log_cause(problem, context))
        .map_err(|problem| problem.with_request_id(context.request_id.to_string()));
    let is_call = !matches!(event, Event::Sweep { .. });
    let line = record::<E>(deployment, context, request, &outcome, is_call, started).by(caller.as_ref());
    let audited = log.write(&line);
    let outcome = match audited {
        Ok(()) => outcome,
        Err(_) => {
            Cause::AuditLineNotWritten.log(None);
            Err(Problem::internal(Cause::AuditLineNotWritten).with_request_id(context.request_id.to_string()))
        }
    };
    respond(context, outcome)
}

/// Runs the operation within its time limit.
///
/// The role is checked first, so a refused caller learns nothing about the body or the vault.
async fn run<E: Endpoint>(
    endpoint: &E,
    context: &RequestContext,
    caller: &Caller,
    request: &ApiRequest,
) -> Result<Success, Problem> {
    E::operation(request).admit(caller)?;
    within_time(context, endpoint.call(context, caller, request).boxed()).await
}

/// The future is boxed: with the SDK below it, it is too deep for the compiler to lay out within this one.
async fn within_time(
    context: &RequestContext,
    work: BoxFuture<'_, Result<Success, Problem>>,
) -> Result<Success, Problem> {
    let work = AssertUnwindSafe(work).catch_unwind();
    match time_limit::within(context.time_left(), work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(Problem::internal(Cause::Panicked)),
        Err(time_limit::Elapsed) => Err(Problem::out_of_time()),
    }
}

/// Corrects the operation, because a function may serve several, and adds the vault if the path names one.
fn name_in_span<E: Endpoint>(request: &ApiRequest) {
    let span = Span::current();
    span.record("operation", E::operation(request).name());
    if let Some(vault_id) = request.path_vault_id() {
        span.record("vault_id", vault_id.as_str());
    }
}

/// Logs the cause of an answer that is our fault. The panic hook has already logged a panic, with its place.
fn log_cause(problem: &Problem, context: &RequestContext) {
    let Some(cause) = problem.cause.filter(|cause| *cause != Cause::Panicked) else {
        return;
    };
    // If the path names the vault, the span has it.
    let vaults = context.items().vault_ids;
    let vault_id = vaults.first().filter(|_| vaults.len() == 1);
    cause.log(vault_id);
}

fn record<'a, E: Endpoint>(
    deployment: &'a Deployment,
    context: &RequestContext,
    request: Option<&'a ApiRequest>,
    outcome: &'a Result<Success, Problem>,
    is_call: bool,
    started: Instant,
) -> AuditRecord<'a> {
    let (success, problem) = (outcome.as_ref().ok(), outcome.as_ref().err());
    let status = outcome
        .as_ref()
        .map_or_else(|problem| problem.status, |success| success.status);
    let items = context.items();
    let fault = problem.map(|problem| problem.fault);
    let mut faults = success.map(|success| success.item_faults.clone()).unwrap_or_default();
    faults.extend(fault);
    let at = jiff::Timestamp::now();
    AuditRecord {
        log: "audit",
        at,
        region: deployment.region,
        stage: &deployment.stage,
        request_id: context.request_id.to_string(),
        gateway_request_id: request.and_then(|request| request.gateway_request_id.as_deref()),
        operation: request.map_or(E::OPERATION, E::operation).name(),
        workspace_id: None,
        subject: None,
        role: None,
        vault_id: success
            .and_then(|success| success.vault_id.clone())
            .or_else(|| request.and_then(ApiRequest::path_vault_id)),
        items: success
            .and_then(|success| success.items)
            .or_else(|| (!items.asked.is_empty()).then_some(items.asked.len())),
        items_failed: success.and_then(|success| success.items_failed),
        item_id_hashes: items.asked,
        failed_item_id_hashes: items.failed,
        item_vault_ids: items.vault_ids,
        items_sealed: items.sealed.map(|sealed| sealed.items),
        data_key_generation: items.sealed.map(|sealed| sealed.data_key_generation),
        outcome: AuditOutcome::of(status, success.and_then(|success| success.items_failed).unwrap_or(0)),
        status,
        problem: problem.map(|problem| problem.kind.as_str()),
        fault,
        key_uses: context.key_uses(),
        duration_ms: started.elapsed().as_millis(),
        metrics: RequestMetrics::new(at, is_call, &faults, items.sealed.is_some()),
    }
}
