//! A call to the customer's key or role, as our audit log records it (requirement E1).

use serde::Serialize;

use crate::values::Region;

/// One call to the customer's key or role, as our audit log records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// `kms:Decrypt`, `sts:AssumeRole`, ...
    pub action: &'static str,
    /// Where the call went.
    pub region: Region,
    /// AWS's id of the call, as in the customer's CloudTrail. Absent when no answer came.
    pub aws_request_id: Option<String>,
    /// The role session name that the call was made under.
    pub role_session_name: String,
    /// Whether the call succeeded.
    pub succeeded: bool,
}
