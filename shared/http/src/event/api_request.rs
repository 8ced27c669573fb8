//! A call through an API, as endpoints read it.

use std::collections::BTreeMap;

use latchkey_core::values::VaultId;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::claims::{RestClaimsPlace, claims};
use super::named_values::{self, Headers};
use super::shape::{Outline, Shape, value};
use crate::secret_text::{SecretText, decode_base64};

/// A call through an API. It is the same type for every service.
pub struct ApiRequest {
    /// The claims of the verified token. Empty without a token.
    pub claims: Map<String, Value>,
    /// API Gateway's id of the request, as in its access log.
    pub gateway_request_id: Option<String>,
    headers: Headers,
    path_parameters: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    body: Option<Zeroizing<Vec<u8>>>,
}

impl ApiRequest {
    /// Reads a call. `None` if no API sends such an event.
    pub(super) fn read(event: &Outline<'_>, place: RestClaimsPlace) -> Option<Self> {
        let context = event.context()?;
        let shape = Shape::of(event, &context)?;
        let is_base64 = value(event.is_base64_encoded).ok()?;
        let body = match event.body.map(|text| serde_json::from_str::<SecretText>(text.get())) {
            Some(text) if is_base64 => Some(decode_base64(text.ok()?.as_str())?),
            Some(text) => Some(text.ok()?.into_bytes()),
            None => None,
        };
        Some(Self {
            claims: claims(shape, place, context.authorizer),
            gateway_request_id: value(context.request_id).ok()?,
            headers: Headers::read(shape, event).ok()?,
            path_parameters: value(event.path_parameters).ok()?,
            query: named_values::query(shape, event).ok()?,
            body,
        })
    }

    /// The vault that the path names. `None` if it names none, or if the name cannot be a vault id.
    pub fn path_vault_id(&self) -> Option<VaultId> {
        self.path_parameters
            .get("vault_id")
            .and_then(|text| VaultId::parse(text).ok())
    }

    /// Whether the caller prefers `media_type` to JSON: `Accept` names it, and gives it a higher weight than
    /// `application/json` (RFC 9110, section 12.5.1). A wildcard gets JSON.
    pub fn prefers(&self, media_type: &str) -> bool {
        let accept = self.headers.accept.as_deref().unwrap_or_default();
        weight(accept, media_type) > weight(accept, "application/json")
    }

    /// Whether the path has a place for a vault.
    pub fn path_names_vault(&self) -> bool {
        self.path_parameters.contains_key("vault_id")
    }

    /// The query parameters, by name.
    pub const fn query(&self) -> &BTreeMap<String, String> {
        &self.query
    }

    /// The header `If-Match`.
    pub fn if_match(&self) -> Option<&str> {
        self.headers.if_match.as_deref()
    }

    /// The body's bytes. Empty without a body.
    pub fn body(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], |body| body.as_slice())
    }
}

/// The weight that an `Accept` header gives to a media type. 0 if it does not name the type.
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

#[cfg(test)]
mod tests {
    use crate::event::{Event, RestClaimsPlace};
    use serde_json::value::RawValue;

    fn event(json: &str) -> Event {
        let payload = RawValue::from_string(json.to_owned()).expect("JSON");
        Event::from_payload(&payload, RestClaimsPlace::default())
    }

    #[test]
    fn the_answer_is_json_unless_another_type_is_preferred_by_name() {
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
