//! An operation's place at the edge.

use core::future::{Future, ready};

use latchkey_core::caller::Caller;
use latchkey_core::request::RequestContext;

use crate::answers::{Problem, Success};
use crate::event::ApiRequest;
use crate::telemetry::log::Log;

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
