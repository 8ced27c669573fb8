//! The body of a request: JSON, parsed into a wire type. Errors say where, and what was expected. They never repeat the
//! input. Serde's own messages do, so they are not passed on as they are.

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_path_to_error::Segment;

use crate::answers::{FieldError, Problem};

/// A JSON object. Serde's derived structs also take an array of their fields, which nobody means to send.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// Parses a body. An empty body counts as `{}`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Object(parsed) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| describe(&error))?;
    deserializer.end().map_err(|_| {
        Problem::malformed(vec![FieldError {
            pointer: "#".to_owned(),
            parameter: None,
            detail: "the body must be one JSON object and nothing after it".to_owned(),
        }])
    })?;
    Ok(parsed)
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    let detail = if inner.is_data() {
        expectation(&inner.to_string())
    } else {
        format!(
            "the body is not JSON (line {}, column {})",
            inner.line(),
            inner.column()
        )
    };
    Problem::malformed(vec![FieldError {
        pointer: pointer(error),
        parameter: None,
        detail,
    }])
}

/// The part of serde's message that is ours: the names of our own fields and types.
fn expectation(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    for ours in ["missing field `", "duplicate field `"] {
        if let Some(name) = message.strip_prefix(ours).and_then(|rest| rest.split('`').next()) {
            return format!("{ours}{name}`");
        }
    }
    if message.ends_with("there are no fields") {
        return "unknown field; this operation takes an empty object".to_owned();
    }
    // The last match: the input stands before it and could hold the same words.
    match message.rsplit_once(", expected ") {
        Some((given, expected)) if given.starts_with("unknown field") => format!("unknown field; expected {expected}"),
        Some((_, expected)) => format!("must be {expected}"),
        None => "not what this operation takes".to_owned(),
    }
}

/// Every field of a request. The test below compares them with openapi.yaml.
const OUR_FIELDS: &[&str] = &[
    "name",
    "strategy",
    "aws_account_id",
    "kms_key_id",
    "aws_role_arn",
    "set_as_default",
    "data_key_cache_seconds",
    "mode",
    "vault_id",
    "items",
    "item_id",
    "plaintext",
    "context",
    "sealed_item",
    "to_vault_id",
    "dry_run",
    "is_default",
];

/// The place of the error as a pointer. It ends before the first name that is not one of ours, so that it repeats no
/// key of the caller's.
fn pointer(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let mut pointer = "#".to_owned();
    for segment in error.path() {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } if OUR_FIELDS.contains(&key.as_str()) => key.clone(),
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => break,
        };
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The names of the properties of a schema and of those below it.
    fn collect_properties(document: &Value, schema: &Value, names: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').expect("within the document");
            collect_properties(document, document.pointer(pointer).expect("a schema"), names);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            names.insert(name.clone());
            collect_properties(document, property, names);
        }
        let parts = ["allOf", "anyOf", "oneOf"].map(|of| schema[of].as_array());
        for below in parts.into_iter().flatten().flatten().chain(schema.get("items")) {
            collect_properties(document, below, names);
        }
    }

    #[test]
    fn our_fields_are_those_of_the_requests_in_the_contract() {
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.yaml")).expect("the file");
        let document: Value = serde_saphyr::from_str(&text).expect("YAML");
        let mut named = BTreeSet::new();
        let paths = document["paths"].as_object().expect("paths");
        for operation in paths
            .values()
            .filter_map(Value::as_object)
            .flat_map(|path| path.values())
        {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            collect_properties(&document, schema, &mut named);
        }
        assert_eq!(named, OUR_FIELDS.iter().map(|&name| name.to_owned()).collect());
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Body {
        name: String,
        items: Vec<u8>,
    }

    fn error(body: &str) -> FieldError {
        let problem = parse::<Body>(body.as_bytes()).expect_err("malformed");
        problem.errors.first().cloned().expect("one error")
    }

    #[test]
    fn an_error_names_the_place_and_what_was_expected() {
        assert_eq!(error(r#"{"items":[]}"#).detail, "missing field `name`");
        assert_eq!(
            error(r#"{"name":"a","name":"b","items":[]}"#).detail,
            "duplicate field `name`"
        );
        assert_eq!(error(r#"{"name":"a","items":[1,"x"]}"#).pointer, "#/items/1");
        assert_eq!(error(r#"{"name":7,"items":[]}"#).detail, "must be a string");
        assert_eq!(error(r#"["a",[]]"#).detail, "must be a JSON object");
        assert!(error(r#"{"name":"a""#).detail.starts_with("the body is not JSON"));
        assert!(
            error(r#"{"name":"a","items":[]} trailing"#)
                .detail
                .contains("nothing after it")
        );
    }

    #[test]
    fn nothing_that_came_in_comes_back() {
        for body in [
            r#"{"name":"a","items":["canary"]}"#,
            r#"{"canary":1}"#,
            r#"{"name":"a","items":"canary, expected canary"}"#,
            r#"{"x, expected canary":1}"#,
            r#"{"name":{"canary":1},"items":[]}"#,
            "canary",
            r#"{"name":"canary"#,
        ] {
            let problem = parse::<Body>(body.as_bytes()).expect_err("malformed");
            let text = serde_json::to_string(&problem.errors).expect("JSON");
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
