//! One invocation from event to answer: who calls, the operation within its time, the audit line, the response.

use core::future::{Future, ready};
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use base64ct::{Base64, Encoding};
use futures::FutureExt;
use futures::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use latchkey_core::caller::Caller;
use latchkey_core::error::Fault;
use latchkey_core::findings::Report;
use latchkey_core::operations::VaultView;
use latchkey_core::request::{RequestContext, time_limit};
use latchkey_core::values::{RequestId, VaultId};
use latchkey_core::vault::VaultTag;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::audit::{AuditOutcome, AuditRecord};
use crate::deployment::Deployment;
use crate::event::{ApiRequest, Event};
use crate::if_match::entity_tag;
use crate::log::Log;
use crate::metrics::RequestMetrics;
use crate::problem::Problem;
use crate::secret_text::secret_json;
use crate::vault_response::VaultResponse;

/// Kept back of the function's time, to answer in.
const TIME_TO_ANSWER: Duration = Duration::from_millis(300);

/// What a request gets when the Runtime API states a deadline in the past, as cargo-lambda's local one does. Lambda itself
/// would have ended the environment by then.
const TIME_WITHOUT_DEADLINE: Duration = Duration::from_secs(15);

/// An operation's place at the edge: parses its request, runs it, shapes its answer.
pub trait Endpoint: Send + Sync {
    /// The operation's name, as everywhere.
    const NAME: &'static str;

    /// The name of the operation that is called, for the audit log. A function may serve two.
    fn operation(_request: &ApiRequest) -> &'static str {
        Self::NAME
    }

    /// Answers one call.
    fn call(
        &self,
        context: &RequestContext,
        caller: &Caller,
        request: &ApiRequest,
    ) -> impl Future<Output = Result<Success, Problem>> + Send;

    /// Answers the schedule's call to check the vaults of shard number `shard` of `shards`. Most functions have no schedule.
    fn sweep(
        &self,
        _context: &RequestContext,
        _shard: u32,
        _shards: u32,
        _log: &Log<'_>,
    ) -> impl Future<Output = Result<Success, Problem>> + Send {
        ready(Err(Problem::unknown_event()))
    }
}

/// What a call that succeeded answers.
pub struct Success {
    status: u16,
    body: Body,
    vault_id: Option<VaultId>,
    items: Option<usize>,
    items_failed: Option<usize>,
    item_faults: BTreeSet<Fault>,
    etag: Option<VaultTag>,
}

impl Success {
    /// An answer with this status and this body.
    ///
    /// # Errors
    /// An internal [`Problem`] when the body cannot be written as JSON.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self, Problem> {
        let body = secret_json(body).ok_or_else(Problem::internal)?;
        Ok(Self::with_body(status, Body::Json(body)))
    }

    /// A file to be saved.
    pub fn file(status: u16, file: FileAnswer) -> Self {
        Self::with_body(status, Body::File(file))
    }

    fn with_body(status: u16, body: Body) -> Self {
        Self {
            status,
            body,
            vault_id: None,
            items: None,
            items_failed: None,
            item_faults: BTreeSet::new(),
            etag: None,
        }
    }

    /// One vault, with its ETag.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(crate) fn vault(status: u16, view: VaultView, validation: Option<Report>) -> Result<Self, Problem> {
        let (vault_id, etag) = (view.vault.vault_id.clone(), Some(view.tag()));
        let success = Self::json(status, &VaultResponse::new(view, validation))?.about_vault(vault_id);
        Ok(Self { etag, ..success })
    }

    /// Names the vault for the audit log.
    #[must_use]
    pub fn about_vault(self, vault_id: VaultId) -> Self {
        Self {
            vault_id: Some(vault_id),
            ..self
        }
    }

    /// Counts the items for the audit log, with whose fault each is of those that failed by themselves.
    #[must_use]
    pub fn about_items(self, items: usize, failed: &[Fault]) -> Self {
        Self {
            items: Some(items),
            items_failed: Some(failed.len()),
            item_faults: failed.iter().copied().collect(),
            ..self
        }
    }
}

enum Body {
    Json(Zeroizing<String>),
    File(FileAnswer),
}

/// A file as an answer.
pub struct FileAnswer {
    /// Its media type.
    pub media_type: &'static str,
    /// The name to save it under: letters, digits, `.` and `-` only.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What Lambda is answered: an API Gateway HTTP API response (payload format 2.0).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// JSON, or a file in base64; zeroed on drop, for it may be plaintext.
    pub body: Zeroizing<String>,
    /// Whether the body is a file, which API Gateway decodes before it sends it.
    pub is_base64_encoded: bool,
}

/// Serves invocations until Lambda ends the environment: one after the other, or as many at a time as the environment
/// variable `AWS_LAMBDA_MAX_CONCURRENCY` says. They share the endpoint, and so its caches.
///
/// # Errors
/// When the Runtime API cannot be reached, or the environment does not say which deployment this is.
pub async fn serve<E: Endpoint + 'static>(endpoint: E) -> Result<(), lambda_runtime::Error> {
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
            Ok::<_, lambda_runtime::Error>(answer(endpoint, deployment, &context, &payload, io::stdout()).await)
        }
    }))
    .await
}

/// Answers one invocation, and writes its line to the audit log. What cannot be audited is not answered.
///
/// A panic on the way, in what reads the event or writes the line, ends here too: the runtime would tell the invoker and the
/// log what it says, and that may quote what it choked on.
pub async fn answer<E: Endpoint>(
    endpoint: &E,
    deployment: &Deployment,
    context: &RequestContext,
    payload: &RawValue,
    log: impl Write + Send,
) -> Response {
    let answered = answer_audited(endpoint, deployment, context, payload, log);
    let answered = AssertUnwindSafe(answered).catch_unwind().await;
    answered.unwrap_or_else(|_panic| {
        let problem = Problem::internal().with_request_id(context.request_id.to_string());
        respond(context, Err(problem))
    })
}

async fn answer_audited<E: Endpoint>(
    endpoint: &E,
    deployment: &Deployment,
    context: &RequestContext,
    payload: &RawValue,
    log: impl Write + Send,
) -> Response {
    let log = Log::new(log);
    let started = Instant::now();
    let event = Event::from_payload(payload);
    let (caller, request, outcome) = match &event {
        Event::Api(request) => match deployment.claim_names.caller(&request.claims) {
            Ok(caller) => {
                let outcome = run(endpoint, context, &caller, request).await;
                (Some(caller), Some(request.as_ref()), outcome)
            }
            Err(_) => (None, Some(request.as_ref()), Err(Problem::no_caller())),
        },
        Event::Sweep { shard, shards } => {
            let sweep = endpoint.sweep(context, *shard, *shards, &log).boxed();
            (None, None, within_time(context, sweep).await)
        }
        Event::Unknown => (None, None, Err(Problem::unknown_event())),
    };
    let outcome = outcome.map_err(|problem| problem.with_request_id(context.request_id.to_string()));
    let is_call = !matches!(event, Event::Sweep { .. });
    let line = record::<E>(deployment, context, request, &outcome, is_call, started).by(caller.as_ref());
    let audited = log.write(&line);
    let outcome = match audited {
        Ok(()) => outcome,
        Err(_) => Err(Problem::internal().with_request_id(context.request_id.to_string())),
    };
    respond(context, outcome)
}

/// The operation, within its time; a panic in it is our fault and tells nobody what it choked on.
async fn run<E: Endpoint>(
    endpoint: &E,
    context: &RequestContext,
    caller: &Caller,
    request: &ApiRequest,
) -> Result<Success, Problem> {
    within_time(context, endpoint.call(context, caller, request).boxed()).await
}

/// Boxed: an operation and the SDK below it are a future too deep for the compiler to lay out within this one.
async fn within_time(
    context: &RequestContext,
    work: BoxFuture<'_, Result<Success, Problem>>,
) -> Result<Success, Problem> {
    let work = AssertUnwindSafe(work).catch_unwind();
    match time_limit::within(context.time_left(), work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(Problem::internal()),
        Err(time_limit::Elapsed) => Err(Problem::out_of_time()),
    }
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
        operation: request.map_or(E::NAME, E::operation),
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

fn respond(context: &RequestContext, outcome: Result<Success, Problem>) -> Response {
    let mut headers = BTreeMap::from([
        ("cache-control", "no-store".to_owned()),
        ("x-request-id", context.request_id.to_string()),
        ("content-type", "application/json".to_owned()),
    ]);
    let (status_code, body, is_base64_encoded) = match outcome {
        Ok(success) => {
            if let Some(tag) = success.etag {
                headers.insert("etag", entity_tag(tag));
            }
            match success.body {
                Body::Json(body) => (success.status, body, false),
                Body::File(file) => {
                    headers.insert("content-type", file.media_type.to_owned());
                    headers.insert("content-disposition", format!("attachment; filename=\"{}\"", file.name));
                    (success.status, Zeroizing::new(Base64::encode_string(&file.bytes)), true)
                }
            }
        }
        Err(problem) => {
            headers.insert("content-type", "application/problem+json".to_owned());
            if let Some(seconds) = problem.retry_after_seconds {
                headers.insert("retry-after", seconds.to_string());
            }
            let body = Zeroizing::new(serde_json::to_string(&problem).unwrap_or_default());
            (problem.status, body, false)
        }
    };
    Response {
        status_code,
        headers,
        body,
        is_base64_encoded,
    }
}
