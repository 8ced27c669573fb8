//! Finds which service sent an event. This comes first, so that no event is parsed for one service after another.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The service that sent an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An HTTP API, payload format 2.0.
    HttpApi,
    /// A REST API, or an HTTP API with payload format 1.0.
    RestApi,
    /// A Function URL.
    FunctionUrl,
    /// None. Someone who may invoke the function wrote the event, in format 2.0 without the fields that only API Gateway fills.
    Direct,
}

/// Where an event's fields begin and end. A field is parsed only when it is needed. An event with a duplicate field cannot be
/// read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outline<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    http_method: Option<&'a RawValue>,
    #[serde(borrow)]
    request_context: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) path_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) query_string_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) multi_value_query_string_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) headers: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) multi_value_headers: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) body: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) is_base64_encoded: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) sweep: Option<&'a RawValue>,
}

/// The same for its `requestContext`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContextOutline<'a> {
    #[serde(borrow)]
    pub(super) request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) authorizer: Option<&'a RawValue>,
    #[serde(borrow)]
    http: Option<&'a RawValue>,
    #[serde(borrow)]
    http_method: Option<&'a RawValue>,
    #[serde(borrow)]
    domain_name: Option<&'a RawValue>,
    /// Only a WebSocket API has it.
    #[serde(borrow)]
    connection_id: Option<&'a RawValue>,
    /// Only a load balancer has it.
    #[serde(borrow)]
    elb: Option<&'a RawValue>,
    /// Only VPC Lattice has it.
    #[serde(borrow)]
    service_arn: Option<&'a RawValue>,
}

impl<'a> Outline<'a> {
    pub(super) fn of(event: &'a RawValue) -> Option<Self> {
        object(event)
    }

    pub(super) fn context(&self) -> Option<ContextOutline<'a>> {
        object(self.request_context?)
    }
}

/// A field's value, or its type's default if the event does not have the field.
///
/// # Errors
/// If the field has another type.
pub(super) fn value<T: DeserializeOwned + Default>(field: Option<&RawValue>) -> Result<T, serde_json::Error> {
    field.map_or_else(|| Ok(T::default()), |field| serde_json::from_str(field.get()))
}

/// Parses an object. serde alone would also take a list, as the fields in their order.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    let is_object = raw.get().starts_with('{');
    is_object.then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

impl Shape {
    /// The shape of an event. `None` for a service that we do not serve.
    pub(super) fn of(event: &Outline<'_>, context: &ContextOutline<'_>) -> Option<Self> {
        let others = [context.connection_id, context.elb, context.service_arn];
        if others.iter().any(Option::is_some) {
            return None;
        }
        let version = event.version.map_or("", RawValue::get);
        let methods = [event.http_method, context.http_method, context.http].map(|it| it.is_some());
        match (version, methods) {
            ("\"1.0\"" | "", [true, true, false]) => Some(Self::RestApi),
            ("\"2.0\"" | "", [false, false, true]) if context.is_function_url() => Some(Self::FunctionUrl),
            ("\"2.0\"" | "", [false, false, true]) => Some(Self::HttpApi),
            ("\"2.0\"" | "", [false, false, false]) => Some(Self::Direct),
            _ => None,
        }
    }
}

impl ContextOutline<'_> {
    /// A Function URL's domain is `<id>.lambda-url.<region>.on.aws`.
    fn is_function_url(&self) -> bool {
        self.domain_name.is_some_and(|name| name.get().contains(".lambda-url."))
    }
}
