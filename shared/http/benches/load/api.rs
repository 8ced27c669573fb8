//! A call as API Gateway makes it from an HTTP request, and the answer as API Gateway reads it: real JSON both ways.

use core::time::Duration;
use std::time::Instant;

use latchkey_core::request::RequestContext;
use latchkey_core::values::{Region, RequestId};
use latchkey_http::event::{ClaimNames, RestClaimsPlace};
use latchkey_http::{Deployment, Endpoint, answer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The time that a function with a timeout of 29 s has.
const TIME: Duration = Duration::from_millis(28_700);

/// The outcome of a call.
pub struct Called {
    pub status: u16,
    pub body: Vec<u8>,
    pub took: Duration,
    /// How many calls were made to KMS, according to the audit log.
    pub kms_calls: usize,
    /// How many vaults the items are from, according to the audit log.
    pub vaults: usize,
}

impl Called {
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> T {
        serde_json::from_slice(&self.body).expect("the answer's shape")
    }

    pub fn is_problem(&self, name: &str) -> bool {
        self.json::<Problem>().is(name)
    }
}

#[derive(Debug, Deserialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
}

impl Problem {
    pub fn is(&self, name: &str) -> bool {
        self.kind.strip_prefix("urn:latchkey:problem:") == Some(name)
    }
}

#[derive(Deserialize)]
struct AuditLine {
    log: String,
    request_id: String,
    workspace_id: String,
    #[serde(default)]
    item_vault_ids: Vec<String>,
    #[serde(default)]
    key_uses: Vec<KeyUse>,
}

#[derive(Deserialize)]
struct KeyUse {
    action: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    body: String,
}

/// Calls an endpoint. Panics if the audit log does not hold exactly this call.
pub async fn call<E: Endpoint>(
    endpoint: &E,
    region: Region,
    workspace_id: &str,
    vault_id: Option<&str>,
    body: &impl Serialize,
) -> Called {
    let event = event(workspace_id, vault_id, serde_json::to_string(body).unwrap());
    let claim_names = ClaimNames {
        workspace_id: "workspace_id".into(),
        role: "role".into(),
        subject: "sub".into(),
    };
    let deployment = Deployment {
        region,
        stage: "load".into(),
        claim_names,
        rest_claims_place: RestClaimsPlace::default(),
    };
    let mut log = Vec::new();
    let started = Instant::now();
    let context = RequestContext::new(RequestId::generate(), TIME);
    let response = answer(endpoint, &deployment, &context, event, &mut log).await;
    let answer = serde_json::to_vec(&response).unwrap();
    let took = started.elapsed();

    let line: AuditLine = serde_json::from_slice(&log).expect("one line of JSON");
    assert_eq!(
        (line.log.as_str(), line.workspace_id.as_str(), line.request_id),
        ("audit", workspace_id, context.request_id.to_string())
    );
    let kms_calls = line.key_uses.iter().filter(|call| call.action.starts_with("kms:"));
    let answer: Answer = serde_json::from_slice(&answer).unwrap();
    Called {
        status: answer.status_code,
        body: answer.body.into_bytes(),
        took,
        kms_calls: kms_calls.count(),
        vaults: line.item_vault_ids.len(),
    }
}

/// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
fn event(workspace_id: &str, vault_id: Option<&str>, body: String) -> Box<RawValue> {
    let mut event = json!({
        "version": "2.0",
        "routeKey": "POST /v1/items/decrypt",
        "rawPath": "/v1/items/decrypt",
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "authorization": format!("Bearer {}", "e".repeat(800)),
            "content-type": "application/json",
            "host": "abcdefghij.execute-api.us-east-2.amazonaws.com",
            "x-forwarded-for": "192.0.2.1",
        },
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=",
            "http": { "method": "POST", "path": "/v1/items/decrypt", "sourceIp": "192.0.2.1" },
            "authorizer": { "jwt": {
                "claims": { "workspace_id": workspace_id, "role": "admin", "sub": "load" },
                "scopes": null,
            } },
        },
        "body": Value::String(body),
        "isBase64Encoded": false,
    });
    if let Some(vault_id) = vault_id {
        event["pathParameters"] = json!({ "vault_id": vault_id });
    }
    serde_json::value::to_raw_value(&event).unwrap()
}
