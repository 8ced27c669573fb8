//! The shapes that a call comes in: each operation gives the same answer to the same call of an HTTP API, a REST API, one that
//! somebody made directly; and 401 to each call through a Function URL.

use std::cell::Cell;

use base64ct::{Base64, Encoding};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::request::LambdaRequest;
use latchkey_http::event::{Event, RestClaimsPlace};
use serde_json::{Value, json};

use crate::access::{Known, call};
use crate::contract;
use crate::service::{Answer, Service, admin, api_event, member, respond};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    HttpApi,
    /// An HTTP API with payload format 1.0.
    HttpApi1,
    RestApi,
    /// A REST API with a Lambda authorizer of the operator's own.
    RestApiWithLambdaAuthorizer,
    Direct,
    FunctionUrl,
}

impl Shape {
    pub const WITH_CLAIMS: [Self; 5] = [
        Self::HttpApi,
        Self::HttpApi1,
        Self::RestApi,
        Self::RestApiWithLambdaAuthorizer,
        Self::Direct,
    ];

    /// Where such a deployment says that the claims stand.
    pub fn rest_claims_place(self) -> RestClaimsPlace {
        match self {
            Self::RestApiWithLambdaAuthorizer => RestClaimsPlace::Authorizer,
            _ => RestClaimsPlace::Claims,
        }
    }

    /// An HTTP API's event of format 2.0, as it would come in this shape. What is no such event stays as it is.
    pub fn of(self, event: &Value) -> Value {
        if event["requestContext"].is_null() {
            return event.clone();
        }
        let claims = event["requestContext"]["authorizer"]["jwt"]["claims"].clone();
        let mut event = event.clone();
        match self {
            Self::HttpApi => event,
            Self::HttpApi1 => {
                let mut event = format_1(&event, json!({ "claims": claims, "scopes": null }));
                event["version"] = json!("1.0");
                event
            }
            Self::RestApi => format_1(&event, json!({ "claims": claims })),
            Self::RestApiWithLambdaAuthorizer => {
                let mut authorizer = claims;
                authorizer["principalId"] = json!("somebody");
                authorizer["integrationLatency"] = json!(7);
                format_1(&event, authorizer)
            }
            Self::Direct => {
                let without = |object: &mut Value, name| object.as_object_mut().expect("an object").remove(name);
                without(&mut event, "version");
                without(&mut event, "routeKey");
                without(&mut event["requestContext"], "http");
                event
            }
            Self::FunctionUrl => {
                event["routeKey"] = json!("$default");
                event["requestContext"]["domainName"] = json!("abcdefghij.lambda-url.us-east-2.on.aws");
                event
            }
        }
    }
}

fn format_1(event: &Value, authorizer: Value) -> Value {
    let lists = |field: &str| -> Value {
        let Some(values) = event[field].as_object() else {
            return Value::Null;
        };
        let lists = values.iter().map(|(name, value)| {
            let values: Vec<_> = value.as_str().expect("text").split(',').collect();
            (name.clone(), json!(values))
        });
        lists.collect::<serde_json::Map<_, _>>().into()
    };
    let last = |lists: &Value| -> Value {
        let Some(values) = lists.as_object() else {
            return Value::Null;
        };
        let last = values
            .iter()
            .map(|(name, values)| (name.clone(), values.as_array().expect("a list").last().cloned().into()));
        last.collect::<serde_json::Map<_, _>>().into()
    };
    let (headers, query) = (lists("headers"), lists("queryStringParameters"));
    json!({
        "resource": "/v1/vaults/{vault_id}",
        "path": "/v1/vaults/vlt",
        "httpMethod": "POST",
        "headers": last(&headers),
        "multiValueHeaders": headers,
        "queryStringParameters": last(&query),
        "multiValueQueryStringParameters": query,
        "pathParameters": event["pathParameters"],
        "stageVariables": null,
        "requestContext": {
            "accountId": "111111111111",
            "apiId": "abcdefghij",
            "authorizer": authorizer,
            "httpMethod": "POST",
            "identity": { "sourceIp": "192.0.2.1", "userAgent": null },
            "path": "/production/v1/vaults/vlt",
            "requestId": event["requestContext"]["requestId"],
            "requestTimeEpoch": 1_795_435_200_000_u64,
            "resourcePath": "/v1/vaults/{vault_id}",
            "stage": "production",
        },
        "body": event["body"],
        "isBase64Encoded": event["isBase64Encoded"],
    })
}

thread_local! {
    static SHAPE: Cell<Shape> = const { Cell::new(Shape::HttpApi) };
}

/// The shape that this test sends its events in.
pub fn current() -> Shape {
    SHAPE.get()
}

/// What comes of calls whose events are sent in this shape.
pub async fn sent_as<T>(shape: Shape, calls: impl Future<Output = T>) -> T {
    SHAPE.set(shape);
    let answer = calls.await;
    SHAPE.set(Shape::default());
    answer
}

/// What an answer and its line say, without what is another each time.
fn stable(answer: &Answer) -> Value {
    fn blank(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    match name.as_str() {
                        "vault_id"
                        | "item_vault_ids"
                        | "sealed_item"
                        | "request_id"
                        | "x-request-id"
                        | "at"
                        | "_aws"
                        | "duration_ms"
                        | "key_uses"
                        | "data_key_generation" => *value = Value::Null,
                        _ => blank(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(blank),
            _ => {}
        }
    }
    let mut answer =
        json!({ "status": answer.status, "headers": answer.headers, "body": answer.body, "audit": answer.audit });
    blank(&mut answer);
    answer
}

#[tokio::test]
async fn an_operation_answers_a_call_alike_in_every_shape() {
    let mut nobody = admin();
    nobody["role"] = json!(["admin"]);
    for operation in contract::operations() {
        for caller in [admin(), member(), nobody.clone()] {
            let mut expected = None;
            for shape in Shape::WITH_CLAIMS {
                let service = Service::new();
                let known = Known::of(&service).await;
                let answer = sent_as(shape, call(&service, operation, &caller, &known)).await;
                assert!(answer.status < 500, "{operation:?} in {shape:?}: {}", answer.text);
                let answer = stable(&answer);
                let expected = expected.get_or_insert_with(|| answer.clone());
                assert_eq!(answer, *expected, "{operation:?} in {shape:?}");
            }
        }
        let service = Service::new();
        let known = Known::of(&service).await;
        let answer = sent_as(Shape::FunctionUrl, call(&service, operation, &admin(), &known)).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (401, "unauthenticated"),
            "{operation:?}"
        );
        assert_eq!(answer.audit.get("workspace_id"), None, "{operation:?}");
    }
}

#[tokio::test]
async fn several_values_of_one_name_are_the_same_in_every_shape() {
    for shape in Shape::WITH_CLAIMS {
        let service = Service::new();
        let vault_id = service.with_vault().await;
        let list = async |query: Value| sent_as(shape, service.list_vaults(&member(), None, &query)).await;
        let limits = list(json!({ "limit": "1,2" })).await;
        assert_eq!(
            (limits.status, limits.problem()),
            (400, "malformed-request"),
            "{shape:?}"
        );
        assert_eq!(list(json!({ "limit": "1" })).await.status, 200, "{shape:?}");
        let vault = service.list_vaults(&member(), Some(&vault_id), &Value::Null).await;
        let tag = vault.etag().expect("a tag");
        for (tags, status) in [
            ("\"v8\"".to_owned(), 412),
            ("\"v8\",\"v9\"".to_owned(), 412),
            (format!("{tag},\"v9\""), 200),
        ] {
            let answer = sent_as(shape, service.disable_vault_if(&admin(), &vault_id, &tags)).await;
            assert_eq!(answer.status, status, "{tags} in {shape:?}: {}", answer.text);
        }
    }
}

/// `lambda_http`'s types read the same of an event as we do.
#[test]
fn we_read_what_lambda_http_reads() {
    let mut event = api_event(&admin(), Some("vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"), "e30=");
    event["isBase64Encoded"] = json!(true);
    event["queryStringParameters"] = json!({ "limit": "5,6", "status": "active", "empty": "" });
    event["headers"] = json!({ "accept": "text/html,application/zip", "if-match": "\"v1\",\"v2\"" });
    for shape in [Shape::HttpApi, Shape::HttpApi1, Shape::RestApi, Shape::FunctionUrl] {
        let event = shape.of(&event);
        let payload = serde_json::value::to_raw_value(&event).expect("JSON");
        let Event::Api(ours) = Event::from_payload(&payload, RestClaimsPlace::default()) else {
            panic!("{shape:?} is an API event");
        };
        let (path, query, headers, request_id, body, is_base64) = match serde_json::from_value(event).expect("an event")
        {
            LambdaRequest::ApiGatewayV2(it) => {
                let (headers, id) = (it.headers, it.request_context.request_id);
                (
                    it.path_parameters,
                    it.query_string_parameters,
                    headers,
                    id,
                    it.body,
                    it.is_base64_encoded,
                )
            }
            LambdaRequest::ApiGatewayV1(it) => {
                let (headers, id) = (it.multi_value_headers, it.request_context.request_id);
                let query = it.multi_value_query_string_parameters;
                (it.path_parameters, query, headers, id, it.body, it.is_base64_encoded)
            }
            _ => panic!("{shape:?} is an event of API Gateway"),
        };
        let joined = |name| {
            let values = headers.get_all(name).iter().map(|value| value.to_str().expect("text"));
            values.collect::<Vec<_>>().join(",")
        };
        assert_eq!(
            ours.path_vault_id().map(|id| id.to_string()),
            path.get("vault_id").cloned()
        );
        for (name, value) in ours.query() {
            assert_eq!(
                query.all(name).expect("is there").join(","),
                *value,
                "{name} in {shape:?}"
            );
        }
        assert_eq!((ours.query().len(), path.len()), (3, 1), "{shape:?}");
        assert_eq!(ours.if_match(), Some(joined("if-match").as_str()));
        assert_eq!(ours.prefers("application/zip"), joined("accept").contains("zip"));
        assert_eq!(ours.gateway_request_id, request_id);
        assert!(is_base64);
        assert_eq!(ours.body(), Base64::decode_vec(&body.expect("a body")).expect("base64"));
    }
}

/// The events of these tests are the services' in the eyes of `lambda_http`, too.
#[test]
fn lambda_http_sees_the_shapes_that_we_see() {
    for shape in Shape::WITH_CLAIMS.into_iter().chain([Shape::FunctionUrl]) {
        let event = shape.of(&api_event(&admin(), None, "{}"));
        let read = serde_json::from_value::<LambdaRequest>(event);
        let is_as_expected = match shape {
            Shape::HttpApi | Shape::FunctionUrl => matches!(read, Ok(LambdaRequest::ApiGatewayV2(_))),
            Shape::HttpApi1 | Shape::RestApi | Shape::RestApiWithLambdaAuthorizer => {
                matches!(read, Ok(LambdaRequest::ApiGatewayV1(_)))
            }
            Shape::Direct => read.is_err(), // it knows no such event
        };
        assert!(is_as_expected, "{shape:?}");
    }
}

/// One answer for all: `lambda_http`'s types of an HTTP API's and a REST API's answers read it alike.
#[tokio::test]
async fn every_api_reads_our_answers() {
    let service = Service::new();
    for (caller, status) in [(admin(), 422), (member(), 403), (json!({}), 401)] {
        service
            .customer
            .change_key(|key| key.state = latchkey_in_memory::KeyState::Disabled);
        let body = crate::service::vault_body(json!({})).to_string();
        let (response, _) = respond(&service.create_vault_endpoint(), &api_event(&caller, None, &body)).await;
        let mut sent = serde_json::to_value(&response).expect("JSON");
        let v1 = serde_json::from_value::<ApiGatewayProxyResponse>(sent.clone()).expect("a REST API's");
        sent["cookies"] = json!([]); // which an HTTP API does without, and the type does not
        let v2 = serde_json::from_value::<ApiGatewayV2httpResponse>(sent).expect("an HTTP API's");
        let body = Some(Body::Text(response.body.to_string()));
        assert_eq!((v2.status_code, v2.is_base64_encoded, &v2.body), (status, false, &body));
        assert_eq!((v1.status_code, v1.is_base64_encoded, &v1.body), (status, false, &body));
        assert_eq!(v1.headers, v2.headers);
        assert_eq!(v1.headers.len(), response.headers.len());
        for (name, value) in &response.headers {
            assert_eq!(v1.headers[*name], value.as_str());
        }
    }
}
