//! What Lambda hands to a function: an API Gateway HTTP API event (payload format 2.0), or the schedule's.
//!
//! Direct invocation (cargo-lambda, SAM, the AWS CLI) uses the same two shapes. Of an API event only what we need is
//! read; anything else in it is ignored, for API Gateway adds fields as it likes.
//! Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".

mod caller;

pub use caller::{ClaimNames, NoCaller};

use core::fmt;
use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use latchkey_core::values::VaultId;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::secret_text::SecretText;

/// What a function was invoked with.
pub enum Event {
    /// A call of the HTTP API.
    Api(Box<ApiRequest>),
    /// The schedule's call to check the vaults of one shard.
    Sweep {
        /// Which shard.
        shard: u32,
        /// Of how many.
        shards: u32,
    },
    /// Neither.
    Unknown,
}

/// A call of the HTTP API.
pub struct ApiRequest {
    /// The claims of the verified token; empty when there was none.
    pub claims: Map<String, Value>,
    /// API Gateway's own id of the request, for its access log.
    pub gateway_request_id: Option<String>,
    /// The `Accept` header. Of the headers, only this one and `If-Match` are read: the others hold the caller's token.
    accept: Option<String>,
    path_parameters: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    if_match: Option<String>,
    body: Option<Zeroizing<Vec<u8>>>,
}

impl ApiRequest {
    /// The vault that the path names. What cannot be a vault id names none.
    pub fn path_vault_id(&self) -> Option<VaultId> {
        self.path_parameters
            .get("vault_id")
            .and_then(|text| VaultId::parse(text).ok())
    }

    /// Whether the caller would rather have `media_type` than JSON: its `Accept` names it, and `application/json` not at all
    /// or with a lower weight (RFC 9110, section 12.5.1). Wildcards are content with JSON.
    pub fn prefers(&self, media_type: &str) -> bool {
        let accept = self.accept.as_deref().unwrap_or_default();
        weight(accept, media_type) > weight(accept, "application/json")
    }

    /// Whether the path is one that names a vault.
    pub fn path_names_vault(&self) -> bool {
        self.path_parameters.contains_key("vault_id")
    }

    /// The parameters after the path, by name.
    pub const fn query(&self) -> &BTreeMap<String, String> {
        &self.query
    }

    /// The header `If-Match`.
    pub fn if_match(&self) -> Option<&str> {
        self.if_match.as_deref()
    }

    /// The body's bytes; empty when there is none.
    pub fn body(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], |body| body.as_slice())
    }
}

/// The weight that an `Accept` header gives to a media type by its name; 0 when it does not name it.
fn weight(accept: &str, media_type: &str) -> f32 {
    let weight_of = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        if !parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type)) {
            return 0.0;
        }
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
    };
    accept.split(',').map(weight_of).fold(0.0, f32::max)
}

impl Event {
    /// Reads the payload of an invocation.
    pub fn from_payload(payload: &RawValue) -> Self {
        if let Ok(Schedule {
            sweep: Sweep { shard, shards },
        }) = serde_json::from_str(payload.get())
        {
            return Self::Sweep { shard, shards };
        }
        match serde_json::from_str::<ApiGatewayEvent>(payload.get()) {
            Ok(event) => event
                .into_request()
                .map_or(Self::Unknown, |request| Self::Api(Box::new(request))),
            Err(_) => Self::Unknown,
        }
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiGatewayEvent {
    request_context: ApiGatewayRequestContext,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    headers: Option<Headers>,
    #[serde(default)]
    body: Option<SecretText>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Of the headers, those that we go by. The others, the token among them, are not even copied. API Gateway sends several headers
/// of one name as one, with commas.
#[derive(Default)]
struct Headers {
    accept: Option<String>,
    if_match: Option<String>,
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some(name) = entries.next_key::<String>()? {
                    // API Gateway writes names in lower case; those who invoke the function themselves may not.
                    match name.to_ascii_lowercase().as_str() {
                        "accept" => headers.accept = entries.next_value()?,
                        "if-match" => headers.if_match = entries.next_value()?,
                        _ => drop(entries.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_map(ByName)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiGatewayRequestContext {
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Default, Deserialize)]
struct Authorizer {
    #[serde(default)]
    jwt: Option<Jwt>,
}

#[derive(Default, Deserialize)]
struct Jwt {
    #[serde(default)]
    claims: Option<Claims>,
}

/// The claims of a token. Of one that stands twice, two readers may read different values: it is kept as `null`, which names
/// nobody. So is one that is no text: what is in it is never even read.
struct Claims(Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachOnce;
        impl<'de> Visitor<'de> for EachOnce {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, &RawValue>()? {
                    let text = serde_json::from_str(value.get()).ok();
                    let text = text.filter(|_| !claims.contains_key(&name));
                    claims.insert(name, text.map_or(Value::Null, Value::String));
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(EachOnce)
    }
}

impl ApiGatewayEvent {
    fn into_request(self) -> Option<ApiRequest> {
        let body = match self.body {
            Some(text) if self.is_base64_encoded => Some(Zeroizing::new(Base64::decode_vec(text.as_str()).ok()?)),
            Some(text) => Some(text.into_bytes()),
            None => None,
        };
        let headers = self.headers.unwrap_or_default();
        let jwt = self.request_context.authorizer.and_then(|authorizer| authorizer.jwt);
        Some(ApiRequest {
            claims: jwt
                .and_then(|jwt| jwt.claims)
                .map(|Claims(claims)| claims)
                .unwrap_or_default(),
            gateway_request_id: self.request_context.request_id,
            accept: headers.accept,
            path_parameters: self.path_parameters.unwrap_or_default(),
            query: self.query_string_parameters.unwrap_or_default(),
            if_match: headers.if_match,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        Event::from_payload(&RawValue::from_string(json.to_owned()).expect("JSON"))
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
            r#"{"sweep":{"shard":-1}}"#,
            r#"{"requestContext":null}"#,
            r#""text""#,
        ] {
            assert!(matches!(event(json), Event::Unknown), "{json}");
        }
        assert!(matches!(
            event(r#"{"requestContext":{},"body":"*","isBase64Encoded":true}"#),
            Event::Unknown
        ));
    }

    #[test]
    fn a_claim_that_stands_twice_says_nothing() {
        let claims = r#"{"sub":"s","role":"member","role":"admin","role":"owner","workspace_id":"ws-1"}"#;
        let Event::Api(request) = event(&format!(
            r#"{{"requestContext":{{"authorizer":{{"jwt":{{"claims":{claims}}}}}}}}}"#
        )) else {
            panic!("an API event");
        };
        assert_eq!(request.claims.get("role"), Some(&Value::Null));
        assert_eq!(request.claims.get("workspace_id"), Some(&Value::from("ws-1")));
    }

    #[test]
    fn the_query_and_the_precondition_are_read_whatever_else_is_there() {
        let json = r#"{"requestContext":{},"queryStringParameters":{"limit":"5"},
            "headers":{"authorization":"Bearer x","If-Match":"\"v1\""}}"#;
        let Event::Api(request) = event(json) else {
            panic!("an API event");
        };
        assert_eq!(request.query().get("limit").map(String::as_str), Some("5"));
        assert_eq!(request.if_match(), Some("\"v1\""));
        let bare = r#"{"requestContext":{},"queryStringParameters":null,"headers":null}"#;
        assert!(
            matches!(event(bare), Event::Api(request) if request.query().is_empty() && request.if_match().is_none())
        );
    }

    #[test]
    fn a_body_that_api_gateway_encoded_is_decoded() {
        let Event::Api(request) = event(r#"{"requestContext":{},"body":"e30=","isBase64Encoded":true}"#) else {
            panic!("an API event");
        };
        assert_eq!(request.body(), b"{}");
    }

    #[test]
    fn another_media_type_than_json_has_to_be_preferred_by_name() {
        let prefers_zip = |accept: &str| {
            let headers = serde_json::json!({ "requestContext": {}, "headers": { "accept": accept, "authorization": "Bearer t" } });
            let Event::Api(request) = event(&headers.to_string()) else {
                panic!("an API event");
            };
            request.prefers("application/zip")
        };
        for accept in [
            "application/zip",
            "Application/ZIP",
            "text/html, application/zip;q=0.5, */*;q=0.1",
            "application/zip;q=0.9,application/json;q=0.8",
            "application/json;q=0, application/zip",
        ] {
            assert!(prefers_zip(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/zip, application/json",
            "application/zip;q=0",
            "application/zip;q=",
            "application/zip;q=nonsense",
            "application/zip;q=0.1, application/json;q=0.2",
            "application/zipped",
            ",;,=",
        ] {
            assert!(!prefers_zip(accept), "{accept}");
        }
        let Event::Api(request) = event(r#"{"requestContext":{},"headers":null}"#) else {
            panic!("an API event");
        };
        assert!(!request.prefers("application/zip"));
    }
}
