//! Reads what a function was invoked with.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::api_request::ApiRequest;
use super::claims::RestClaimsPlace;
use super::shape::Outline;

/// What a function was invoked with.
pub enum Event {
    /// A call through an API.
    Api(Box<ApiRequest>),
    /// The schedule's call to check the vaults of one shard.
    Sweep {
        /// The number of the shard, from 0.
        shard: u32,
        /// How many shards there are.
        shards: u32,
    },
    /// Anything else.
    Unknown,
}

impl Event {
    /// Reads the payload of an invocation. `place` is where a REST API's events have the claims.
    pub fn from_payload(payload: &RawValue, place: RestClaimsPlace) -> Self {
        let event = Outline::of(payload).and_then(|outline| match outline.sweep {
            Some(_) => Self::schedule(payload),
            None => ApiRequest::read(&outline, place).map(|request| Self::Api(Box::new(request))),
        });
        event.unwrap_or(Self::Unknown)
    }

    fn schedule(payload: &RawValue) -> Option<Self> {
        let Schedule { sweep } = serde_json::from_str(payload.get()).ok()?;
        let Sweep { shard, shards } = sweep;
        Some(Self::Sweep { shard, shards })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    sweep: Sweep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sweep {
    shard: u32,
    #[serde(default = "one")]
    shards: u32,
}

const fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(json: &str) -> Event {
        let payload = RawValue::from_string(json.to_owned()).expect("JSON");
        Event::from_payload(&payload, RestClaimsPlace::default())
    }

    fn request(json: &str) -> ApiRequest {
        match event(json) {
            Event::Api(request) => *request,
            _ => panic!("no API event: {json}"),
        }
    }

    #[test]
    fn the_schedule_and_the_api_are_told_apart() {
        assert!(matches!(
            event(r#"{"sweep":{"shard":0}}"#),
            Event::Sweep { shard: 0, shards: 1 }
        ));
        assert!(matches!(
            event(r#"{"sweep":{"shard":3,"shards":4}}"#),
            Event::Sweep { shard: 3, shards: 4 }
        ));
        assert!(matches!(event(r#"{"requestContext":{}}"#), Event::Api(_)));
    }

    #[test]
    fn anything_else_is_unknown_and_not_a_crash() {
        for json in [
            "null",
            "[]",
            "1",
            "{}",
            r#""text""#,
            r#"{"sweep":{"shard":-1}}"#,
            r#"{"sweep":{"shard":0},"requestContext":{}}"#,
            r#"{"requestContext":null}"#,
            r#"{"requestContext":[]}"#,
            r#"{"requestContext":{},"requestContext":{}}"#,
            r#"{"requestContext":{},"body":"*","isBase64Encoded":true}"#,
            r#"{"version":"3.0","requestContext":{"http":{"method":"GET"}}}"#,
            r#"{"version":"1.0","requestContext":{"httpMethod":"GET"}}"#,
            r#"{"version":"2.0","httpMethod":"GET","requestContext":{"http":{"method":"GET"}}}"#,
            // A load balancer's, a WebSocket API's and VPC Lattice's.
            r#"{"httpMethod":"GET","requestContext":{"elb":{"targetGroupArn":"arn"}}}"#,
            r#"{"httpMethod":"GET","requestContext":{}}"#,
            r#"{"requestContext":{"routeKey":"$connect","connectionId":"c"}}"#,
            r#"{"version":"2.0","method":"GET","requestContext":{"serviceArn":"arn"}}"#,
            r#"[null,null,{"requestId":"r"},null,null,null,null,null,null,null,null]"#,
        ] {
            assert!(matches!(event(json), Event::Unknown), "{json}");
        }
    }

    #[test]
    fn a_claim_that_stands_twice_says_nothing() {
        let claims = r#"{"sub":"s","role":"member","role":"admin","role":"owner","workspace_id":"ws-1"}"#;
        let request = request(&format!(
            r#"{{"requestContext":{{"authorizer":{{"jwt":{{"claims":{claims}}}}}}}}}"#
        ));
        assert_eq!(request.claims.get("role"), Some(&Value::Null));
        assert_eq!(request.claims.get("workspace_id"), Some(&Value::from("ws-1")));
    }

    /// What the caller sent is the same in each shape, several values of one name too.
    #[test]
    fn every_shape_is_one_request() {
        let v2 = json!({
            "pathParameters": { "vault_id": "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r" },
            "queryStringParameters": { "limit": "5,6", "status": "active" },
            "headers": { "authorization": "Bearer x", "accept": "text/html,application/zip", "if-match": "\"v1\",\"v2\"" },
            "body": "e30=", "isBase64Encoded": true,
        });
        let v1 = json!({
            "httpMethod": "GET",
            "pathParameters": { "vault_id": "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r" },
            "queryStringParameters": { "limit": "6", "status": "active" },
            "multiValueQueryStringParameters": { "limit": ["5", "6"], "status": ["active"] },
            "headers": { "Authorization": "Bearer x", "Accept": "application/zip", "if-match": "\"v2\"" },
            "multiValueHeaders": { "Authorization": ["Bearer x"], "Accept": ["text/html", "application/zip"],
                "If-Match": ["\"v1\""], "if-match": ["\"v2\""] },
            "body": "e30=", "isBase64Encoded": true,
        });
        let with = |event: &Value, context: Value| {
            let mut event = event.clone();
            event["requestContext"] = context;
            request(&event.to_string())
        };
        for request in [
            with(&v2, json!({ "requestId": "r", "http": { "method": "GET" } })),
            with(
                &v2,
                json!({ "requestId": "r", "http": { "method": "GET" }, "domainName": "a.lambda-url.us-east-2.on.aws" }),
            ),
            with(&v2, json!({ "requestId": "r" })),
            with(&v1, json!({ "requestId": "r", "httpMethod": "GET" })),
        ] {
            assert!(request.path_names_vault() && request.path_vault_id().is_some());
            let query: Vec<_> = request
                .query()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(query, [("limit", "5,6"), ("status", "active")]);
            assert_eq!(request.if_match(), Some("\"v1\",\"v2\""));
            assert!(request.prefers("application/zip") && request.prefers("text/html"));
            assert_eq!(request.gateway_request_id.as_deref(), Some("r"));
            assert_eq!(request.body(), b"{}");
        }
    }

    #[test]
    fn what_is_null_or_not_there_is_nothing() {
        let nothing = [
            json!({ "requestContext": {} }),
            json!({ "requestContext": { "requestId": null, "authorizer": null }, "pathParameters": null, "headers": null,
                "queryStringParameters": null, "body": null, "isBase64Encoded": null }),
            json!({ "httpMethod": "GET", "requestContext": { "httpMethod": "GET" }, "pathParameters": null, "headers": null,
                "multiValueHeaders": null, "queryStringParameters": null, "multiValueQueryStringParameters": null, "body": null }),
        ];
        for event in nothing {
            let request = request(&event.to_string());
            assert!(request.query().is_empty() && request.if_match().is_none() && !request.path_names_vault());
            assert!(request.claims.is_empty() && request.body().is_empty() && request.gateway_request_id.is_none());
            assert!(!request.prefers("application/zip"));
        }
    }
}
