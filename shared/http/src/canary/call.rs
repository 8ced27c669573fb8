//! An API call as API Gateway would pass it to a function, and the function's answer.

use latchkey_core::values::RequestId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::canary::{Failure, WORKSPACE};
use crate::event::ClaimNames;

/// The event of a call by the canary's workspace. `id` takes the place of API Gateway's id, so the function's audit
/// line has it as `gateway_request_id`.
pub(super) fn event(claim_names: &ClaimNames, id: &RequestId, body: &str) -> String {
    let claims: Map<String, Value> = [
        (&claim_names.workspace_id, WORKSPACE),
        (&claim_names.role, "admin"),
        (&claim_names.subject, "canary"),
    ]
    .into_iter()
    .map(|(name, value)| (name.clone(), value.into()))
    .collect();
    json!({
        "version": "2.0",
        "requestContext": {
            "requestId": id.to_string(),
            "authorizer": { "jwt": { "claims": claims, "scopes": null } },
        },
        "body": body,
        "isBase64Encoded": false,
    })
    .to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    body: String,
}

/// The body of an answer that succeeded, or the failure that the answer tells of.
pub(super) fn answer(answer: &[u8]) -> Result<Value, Failure> {
    let Answer { status_code, body } = serde_json::from_slice(answer).map_err(|_| Failure::NotUnderstood)?;
    let body: Value = serde_json::from_str(&body).map_err(|_| Failure::NotUnderstood)?;
    match status_code {
        200..300 => Ok(body),
        _ => Err(Failure::of_problem(&body)),
    }
}
