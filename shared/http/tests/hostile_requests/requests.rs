//! What strangers send: bodies, bytes that are no text, and all that stands around a body.

use std::fmt::Write;

use serde_json::{Value, json};

/// A tenth of what Lambda takes: what grows faster than its request shows.
const MOST: usize = 600_000;
/// Twenty times what API Gateway takes of a token's claims, of headers and of a query together.
pub(crate) const MOST_OF_A_HEAD: usize = 200_000;

fn admin() -> Value {
    json!({ "workspace_id": "ws-acme-0001", "role": "admin", "sub": "user-1" })
}

/// An event of the API, with some of its fields replaced.
pub(crate) fn event(fields: Value) -> Value {
    let mut event = json!({
        "requestContext": { "requestId": "r", "authorizer": { "jwt": { "claims": admin() } } },
        "pathParameters": { "vault_id": "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r" },
        "isBase64Encoded": false,
    });
    let into = event.as_object_mut().unwrap();
    into.extend(fields.as_object().unwrap().clone());
    event
}

fn repeated(part: &str, separator: &str, most: usize) -> String {
    vec![part; most / (part.len() + separator.len())].join(separator)
}

/// Names and values that are all different, as many as fit.
fn different(most: usize) -> String {
    let mut pairs = String::new();
    for number in 0.. {
        if pairs.len() > most {
            break;
        }
        write!(pairs, "{}\"{number:x}\":\"\"", if number == 0 { "" } else { "," }).unwrap();
    }
    pairs
}

/// Bodies that are refused whatever the operation, but for those that take none.
pub(crate) fn bodies() -> Vec<String> {
    let items = |item: &str| format!("{{\"items\":[{}]}}", repeated(item, ",", MOST));
    let mut bodies = vec![
        repeated("[", "", MOST),
        repeated("{\"a\":", "", MOST),
        format!("{{\"items\":{}", repeated("[", "", MOST)),
        format!(
            "{{\"items\":[{{\"item_id\":\"i\",\"context\":{}",
            repeated("{\"a\":", "", MOST)
        ),
        format!(
            "{{\"name\":{}{}}}",
            repeated("[", "", 100_000),
            repeated("]", "", 100_000)
        ),
        items("{\"item_id\":\"\",\"plaintext\":\"\"}"),
        items("{\"item_id\":\"\",\"sealed_item\":\"\"}"),
        items("{\"item_id\":\"\",\"sealed_item\":\"\",\"context\":{\"\":\"\"}}"),
        items("0"),
        items("{}"),
        items("null"),
        format!(
            "{{\"items\":[{{\"item_id\":\"i\",\"plaintext\":\"\",\"context\":{{{}}}}}]}}",
            different(MOST)
        ),
        format!(
            "{{\"items\":[{{\"item_id\":\"i\",\"sealed_item\":\"\",\"context\":{{{}}}}}]}}",
            different(MOST)
        ),
        format!("{{{}}}", different(MOST)),
        format!("{{{}}}", repeated("\"name\":\"a\"", ",", MOST)),
        format!("{{{}}}", repeated("\"items\":[]", ",", MOST)),
        format!("[{}]", repeated("{}", ",", MOST)),
        format!("{{}}{}", repeated("{}", "", MOST)),
        repeated("\u{0}", "", MOST),
        repeated("9", "", MOST),
        repeated("\\u0000", "", MOST),
        format!("\"{}\"", repeated("\\ud83d\\ude00", "", MOST)),
        format!("{{\"name\":\"{}\"}}", repeated("\\ud800", "", MOST)),
        format!("{{\"name\":\"{}", repeated("\\\\", "", MOST)),
        "\u{feff}{}".to_owned(),
        "{\"name\":\"\\ud800\"}".to_owned(),
        "{\"name\":\"\\udfff\\ud800\"}".to_owned(),
    ];
    for field in [
        "name",
        "strategy",
        "kms_key_id",
        "aws_role_arn",
        "vault_id",
        "to_vault_id",
        "mode",
        "unheard_of",
    ] {
        bodies.push(format!("{{\"{field}\":\"{}\"}}", repeated("a", "", MOST)));
        bodies.push(format!("{{\"{field}\":\"{}\"}}", repeated("\\u00e9", "", MOST)));
    }
    for number in [
        "1e999999".to_owned(),
        "-1e999999".to_owned(),
        "1e-999999".to_owned(),
        "-0".to_owned(),
        "1e".to_owned(),
        "NaN".to_owned(),
        repeated("9", "", 100_000),
        format!("0.{}", repeated("9", "", 100_000)),
        format!("1e{}", repeated("9", "", 100_000)),
    ] {
        bodies.push(format!("{{\"data_key_cache_seconds\":{number},\"unheard_of\":0}}"));
        bodies.push(format!("{{\"items\":{number}}}"));
        bodies.push(format!("{{\"name\":{number}}}"));
    }
    bodies
}

/// Bytes that are no text, as API Gateway passes them on.
pub(crate) fn bytes() -> Vec<Vec<u8>> {
    vec![
        vec![0xff; 400_000],
        b"{\"name\":\"\xc3\x28\"}".to_vec(),
        b"{\"name\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"\xc0\xaf\":1}".to_vec(),
        "{\"name\":\"a\"}".encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ]
}

/// What is not in the body: claims, headers, the query, the path.
pub(crate) fn heads() -> Vec<(Value, bool)> {
    let long = "a".repeat(MOST_OF_A_HEAD);
    let many = |value: Value| -> Value {
        let names = (0..MOST_OF_A_HEAD / 20).map(|number| (format!("name-{number:08}"), value.clone()));
        names.collect::<serde_json::Map<_, _>>().into()
    };
    let with_claims = |claims: Value| json!({ "requestContext": { "authorizer": { "jwt": { "claims": claims } } } });
    let mut claims = vec![
        json!([]),
        json!(0),
        json!("admin"),
        json!([admin()]),
        many(json!("")),
        many(json!([[]])),
    ];
    for name in ["workspace_id", "role", "sub"] {
        for value in [
            json!([name]),
            json!({ name: name }),
            json!(0),
            Value::Null,
            json!(""),
            json!([long]),
        ] {
            let mut wrong = admin();
            wrong[name] = value;
            claims.push(wrong);
        }
    }
    for name in ["workspace_id", "sub"] {
        let mut wrong = admin();
        wrong[name] = json!(long);
        claims.push(wrong);
    }
    // Each of these is refused by every operation.
    let mut heads: Vec<_> = claims.into_iter().map(|claims| (with_claims(claims), true)).collect();
    for field in ["headers", "pathParameters", "queryStringParameters"] {
        heads.push((json!({ field: [] }), true));
        heads.push((json!({ field: "text" }), true));
        if field != "headers" {
            heads.push((json!({ field: { "vault_id": [] } }), true));
        }
    }
    heads.push((json!({ "headers": { "if-match": [] } }), true));
    heads.push((json!({ "body": {} }), true));
    heads.push((json!({ "body": "*", "isBase64Encoded": true }), true));
    heads.push((json!({ "isBase64Encoded": "yes" }), true));
    heads.push((json!({ "requestContext": [] }), true));
    // These are a matter of the operations that look at them.
    for header in ["authorization", "accept", "if-match", "x-other"] {
        heads.push((json!({ "headers": { header: long } }), false));
    }
    heads.push((
        json!({ "headers": { "accept": "application/zip,".repeat(MOST_OF_A_HEAD / 16) } }),
        false,
    ));
    heads.push((
        json!({ "headers": { "if-match": "\"1-0\",".repeat(MOST_OF_A_HEAD / 6) } }),
        false,
    ));
    for field in ["headers", "queryStringParameters"] {
        heads.push((json!({ field: many(json!("")) }), false));
    }
    heads.push((
        json!({ "queryStringParameters": { "limit": ",".repeat(MOST_OF_A_HEAD) } }),
        false,
    ));
    for values in [vec![""; MOST_OF_A_HEAD / 3], vec!["a,"; MOST_OF_A_HEAD / 5]] {
        for field in ["multiValueHeaders", "multiValueQueryStringParameters"] {
            let context = json!({ "httpMethod": "POST", "authorizer": { "claims": admin() } });
            let lists = json!({ "if-match": values, "limit": values });
            heads.push((
                json!({ "httpMethod": "POST", "requestContext": context, field: lists }),
                false,
            ));
        }
    }
    heads.push((json!({ "pathParameters": { "vault_id": long } }), false));
    heads.push((json!({ "queryStringParameters": { "next_token": long } }), false));
    heads
}
