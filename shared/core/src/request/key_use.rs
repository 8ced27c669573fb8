//! A call to the customer's key or role, as our audit log tells it (requirement E1).

use serde::Serialize;

use crate::values::Region;

/// One call to the customer's key or role, as our audit log tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// `kms:Decrypt`, `sts:AssumeRole`, ...
    pub action: &'static str,
    /// Where the call went.
    pub region: Region,
    /// AWS's id of the call, as the customer's CloudTrail has it; absent when no answer came.
    pub aws_request_id: Option<String>,
    /// The session in the customer's role under which the call was made.
    pub role_session_name: String,
    /// Whether AWS did what was asked.
    pub succeeded: bool,
}
