//! The functions of this deployment.

use core::future::Future;

use crate::values::Region;

/// The functions of this deployment, for the one that tries them. Their shapes are the edge's, so the one in one process is
/// with the tests of the edge.
pub trait DeployedFunctions: Send + Sync {
    /// Invokes the function of an operation in a Region and waits for what it answers. Once: whoever tries a function wants to
    /// know of the answer that did not come.
    fn invoke(
        &self,
        operation: &'static str,
        region: Region,
        event: String,
    ) -> impl Future<Output = Result<Vec<u8>, InvocationError>> + Send;
}

/// A function did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// There was no answer, or Lambda had none to give.
    #[error("no answer")]
    Unanswered,
    /// Lambda did not start it: it is not there, we may not, or it is throttled.
    #[error("the function was not started")]
    NotStarted,
    /// It was started and did not end well.
    #[error("the function crashed")]
    Crashed,
}
