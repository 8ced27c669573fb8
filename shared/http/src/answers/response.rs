//! The response that Lambda gets.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use latchkey_core::request::RequestContext;
use serde::Serialize;
use zeroize::Zeroizing;

use super::success::{Body, Success};
use crate::answers::Problem;
use crate::answers::entity_tag::entity_tag;

/// The response that Lambda gets. HTTP APIs (payload formats 1.0 and 2.0), REST APIs and Function URLs read the same four fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// JSON, or a file in base64. It is zeroed on drop, because it may hold plaintext.
    pub body: Zeroizing<String>,
    /// Whether the body is a file, which API Gateway decodes before it sends it.
    pub is_base64_encoded: bool,
}

/// Makes the response from an operation's outcome.
pub(crate) fn respond(context: &RequestContext, outcome: Result<Success, Problem>) -> Response {
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
