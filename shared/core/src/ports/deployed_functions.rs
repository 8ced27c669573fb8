//! The functions of this deployment.

use core::future::Future;

use crate::values::Region;

/// The functions of this deployment, for the canary. Requests and answers have the shape of the edge, so the
/// implementation in one process is in the tests of the edge.
pub trait DeployedFunctions: Send + Sync {
    /// Invokes the function of an operation in a Region, and waits for its answer. It never retries, because the caller
    /// wants to know about a missing answer.
    fn invoke(
        &self,
        operation: &'static str,
        region: Region,
        event: String,
    ) -> impl Future<Output = Result<Vec<u8>, InvocationError>> + Send;
}

/// Why an invocation gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// No answer came, or Lambda had none to give.
    #[error("no answer")]
    Unanswered,
    /// Lambda did not start the function: it does not exist, we may not invoke it, or it is throttled.
    #[error("the function was not started")]
    NotStarted,
    /// The function was started and failed.
    #[error("the function crashed")]
    Crashed,
}
