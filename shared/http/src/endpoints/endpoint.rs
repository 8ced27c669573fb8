//! The HTTP side of an operation.

use core::future::{Future, ready};

use latchkey_core::caller::Caller;
use latchkey_core::operations::Operation;
use latchkey_core::request::RequestContext;

use crate::answers::{Problem, Success};
use crate::event::ApiRequest;
use crate::telemetry::log::Log;

/// The HTTP side of an operation: it parses the request, runs the operation and shapes the answer.
pub trait Endpoint: Send + Sync {
    /// The operation.
    const OPERATION: Operation;

    /// The operation that the request calls. A function may serve two.
    fn operation(_request: &ApiRequest) -> Operation {
        Self::OPERATION
    }

    /// Answers one call. The caller's role has been checked already.
    fn call(
        &self,
        context: &RequestContext,
        caller: &Caller,
        request: &ApiRequest,
    ) -> impl Future<Output = Result<Success, Problem>> + Send;

    /// Answers the schedule's call to check the vaults of shard number `shard` of `shards`, with metrics for this
    /// stage. Most functions have no schedule.
    fn sweep(
        &self,
        _context: &RequestContext,
        _stage: &str,
        _shard: u32,
        _shards: u32,
        _log: &Log<'_>,
    ) -> impl Future<Output = Result<Success, Problem>> + Send {
        ready(Err(Problem::unknown_event()))
    }
}
