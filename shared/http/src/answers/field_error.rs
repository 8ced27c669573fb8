//! One thing that is wrong with a request.

use serde::Serialize;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: a JSON pointer into the body (RFC 6901), as in the example of RFC 9457, section 3.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// Or: the name of a query parameter or a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What was expected there.
    pub detail: String,
}
