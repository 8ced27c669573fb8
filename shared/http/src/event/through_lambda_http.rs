//! What of an event is read through the types of `lambda_http`, and what they are given to read.
//!
//! They get the fields that we go by and no others. A field that nobody goes by cannot make an event unreadable, and body, headers,
//! query and claims are ours to read (docs/adr/0018).

use std::collections::HashMap;

use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use serde::de::value::MapDeserializer;
use serde::de::{IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::Error;
use serde_json::value::RawValue;

use super::shape::{ContextOutline, Outline, Shape};

/// What of a call stands in the same fields of every API event.
pub(super) struct Call {
    pub(super) path_parameters: HashMap<String, String>,
    pub(super) gateway_request_id: Option<String>,
    pub(super) is_base64_encoded: bool,
}

impl Call {
    /// # Errors
    /// When a field is not of its type, or one is missing that every event of this shape has.
    pub(super) fn read(shape: Shape, event: &Outline<'_>, context: &ContextOutline<'_>) -> Result<Self, Error> {
        let context = vec![
            ("requestId", context.request_id.map(Part::AsItCame)),
            ("httpMethod", context.http_method.map(Part::AsItCame)),
            ("http", http(shape, context)),
        ];
        let fields = Part::Object(vec![
            ("requestContext", Some(Part::Object(context))),
            ("httpMethod", event.http_method.map(Part::AsItCame)),
            ("pathParameters", event.path_parameters.map(Part::AsItCame)),
            ("isBase64Encoded", event.is_base64_encoded.map(Part::AsItCame)),
        ]);
        Ok(match shape {
            Shape::RestApi => {
                let event = ApiGatewayProxyRequest::deserialize(fields)?;
                Self {
                    path_parameters: event.path_parameters,
                    gateway_request_id: event.request_context.request_id,
                    is_base64_encoded: event.is_base64_encoded,
                }
            }
            // `lambda_http` reads a Function URL's events as those of an HTTP API, too.
            Shape::HttpApi | Shape::FunctionUrl | Shape::Direct => {
                let event = ApiGatewayV2httpRequest::deserialize(fields)?;
                Self {
                    path_parameters: event.path_parameters,
                    gateway_request_id: event.request_context.request_id,
                    is_base64_encoded: event.is_base64_encoded,
                }
            }
        })
    }
}

/// `requestContext.http`, without which `lambda_http` reads no event of format 2.0.
fn http<'a>(shape: Shape, context: &ContextOutline<'a>) -> Option<Part<'a>> {
    match shape {
        Shape::Direct => Some(Part::Object(vec![("method", Some(Part::Text("POST")))])),
        Shape::HttpApi | Shape::FunctionUrl => context.http.map(Part::AsItCame),
        Shape::RestApi => None,
    }
}

/// A part of an event, for a type to read.
enum Part<'a> {
    AsItCame(&'a RawValue),
    Text(&'static str),
    Object(Vec<(&'static str, Option<Part<'a>>)>),
}

impl<'de> Deserializer<'de> for Part<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::AsItCame(raw) => raw.deserialize_any(visitor),
            Self::Text(text) => visitor.visit_borrowed_str(text),
            Self::Object(parts) => {
                let parts = parts.into_iter().filter_map(|(name, part)| Some((name, part?)));
                visitor.visit_map(MapDeserializer::new(parts))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self) // what is `null` is no part
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Part<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
