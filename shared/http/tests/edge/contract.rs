//! Checks every call of these tests against openapi.yaml, and every line that they log against docs/audit.schema.json.
//! Also checks that the code has the same enumerations as those two files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use latchkey_core::caller::WorkspaceRole;
use latchkey_core::error::Fault;
use latchkey_core::findings::{Check, Verdict};
use latchkey_core::health::HealthState;
use latchkey_core::operations::Operation;
use latchkey_core::values::{MultiRegionKeyType, Region, Strategy};
use latchkey_core::vault::VaultStatus;
use serde::Serialize;
use serde_json::{Value, json};

use crate::service::Answer;

fn openapi() -> &'static Value {
    static OPENAPI: OnceLock<Value> = OnceLock::new();
    OPENAPI
        .get_or_init(|| serde_saphyr::from_str(include_str!("../../../../openapi.yaml")).expect("openapi.yaml is YAML"))
}

fn audit_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        serde_json::from_str(include_str!("../../../../docs/audit.schema.json")).expect("the schema is JSON")
    })
}

/// Whose fault each type of problem is, according to docs/problems/README.md.
fn owners() -> &'static BTreeMap<String, String> {
    static OWNERS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    OWNERS.get_or_init(|| {
        let lines = include_str!("../../../../docs/problems/README.md").lines();
        let row = |line: &str| {
            let cells: Vec<_> = line.split(" | ").collect();
            let name = cells.first()?.strip_prefix("| [`")?.split_once('`')?.0;
            let owner = cells.get(3)?.trim_matches('`');
            Some((format!("urn:latchkey:problem:{name}"), owner.to_owned()))
        };
        lines.filter_map(row).collect()
    })
}

/// What is wrong with a value, according to a schema of openapi.yaml.
fn faults(schema: &Value, value: &Value) -> Vec<String> {
    static VALIDATORS: Mutex<BTreeMap<String, &Validator>> = Mutex::new(BTreeMap::new());
    let validator = *VALIDATORS
        .lock()
        .expect("no test panics here")
        .entry(schema.to_string())
        .or_insert_with(|| {
            let mut whole = schema.clone();
            whole["components"] = openapi()["components"].clone();
            Box::leak(Box::new(validator(&whole)))
        });
    validator.iter_errors(value).map(|error| error.to_string()).collect()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema")
}

/// The operation's entry in openapi.yaml.
fn stated(operation: Operation) -> &'static Value {
    let call = operation.description().call.expect("a call of the API");
    let stated = &openapi()["paths"][call.path][call.method.to_lowercase()];
    assert_eq!(stated["operationId"], operation.name(), "openapi.yaml at {call:?}");
    stated
}

/// The operations that callers call.
pub fn operations() -> impl Iterator<Item = Operation> {
    let has_call = |operation: &Operation| operation.description().call.is_some();
    Operation::ALL.iter().copied().filter(has_call)
}

/// The sample event of an operation that succeeds, with a value for each of its placeholders.
pub fn sample_event<'a>(operation: Operation, value_of: impl Fn(&str) -> &'a str) -> Value {
    let description = operation.description();
    let call = description.call.expect("a call of the API");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../events")
        .join(description.function);
    let mut paths: Vec<_> = folder
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort_by_key(|path| path.as_os_str().len()); // success.json before success-dry-run.json
    let successes = paths.iter().filter(|path| path.to_string_lossy().contains("/success"));
    let mut texts = successes.map(|path| read_to_string(path).expect("text"));
    let route = format!("\"routeKey\": \"{} {}\"", call.method, call.path);
    let text = texts
        .find(|text| text.contains(&route))
        .unwrap_or_else(|| panic!("events/ has no {route}"));
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (placeholder, rest) = part.split_once('}').expect("a placeholder");
        filled += value_of(placeholder);
        filled += rest;
    }
    serde_json::from_str(&filled).expect("an event is JSON")
}

/// Follows a reference to a component.
fn resolved(node: &'static Value) -> &'static Value {
    match node["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        Some(pointer) => openapi().pointer(pointer).expect("a component"),
        None => node,
    }
}

/// Checks a call through the API against openapi.yaml: its answer is documented, and a request that succeeds is
/// allowed.
pub fn hold_call(operation: Operation, event: &Value, answer: &Answer) {
    if event["requestContext"].is_null() {
        return;
    }
    // The function list-vaults serves two operations.
    let of_one = operation == Operation::ListVaults && !event["pathParameters"].is_null();
    let operation = if of_one { Operation::GetVault } else { operation };
    let (name, stated) = (operation.name(), stated(operation));
    let response = resolved(&stated["responses"][answer.status.to_string()]);
    let content = &response["content"][&answer.content_type];
    let place = format!("{name}: {} {}", answer.status, answer.content_type);
    assert!(content.is_object(), "openapi.yaml has no {place}: {}", answer.text);
    assert_eq!(
        faults(&content["schema"], &answer.body),
        [""; 0],
        "{place}: {}",
        answer.text
    );
    for header in answer.headers.keys().filter(|name| *name != "content-type") {
        assert!(response["headers"][header].is_object(), "{place}: header {header}");
    }
    let has_etag = answer.headers.contains_key("etag");
    assert_eq!(has_etag, response["headers"]["etag"].is_object(), "{place}: etag");
    let body = event["body"].as_str().filter(|body| !body.is_empty());
    if let (200..300, Some(body)) = (answer.status, body) {
        let schema = &stated["requestBody"]["content"]["application/json"]["schema"];
        let body = serde_json::from_str(body).expect("what succeeds is JSON");
        assert_eq!(faults(schema, &body), [""; 0], "{name} took {body}");
    }
}

/// Checks a log line against the schema of the audit log, if it is an audit line.
pub fn hold_line(line: &Value) {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    if line["log"] == "audit" {
        let validator = VALIDATOR.get_or_init(|| validator(audit_schema()));
        let faults: Vec<_> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert_eq!(faults, [""; 0], "{line}");
        let names_it = operations().any(|operation| line["operation"] == operation.name());
        assert!(names_it || line["operation"] == "check-vault", "{line}");
        if let Some(problem) = line["problem"].as_str() {
            assert_eq!(
                line["fault"].as_str(),
                owners().get(problem).map(String::as_str),
                "{line}"
            );
        }
        hold_metrics(line);
    }
}

/// Checks that a line has the metrics and dimensions that it names, in the form that CloudWatch takes. Otherwise
/// CloudWatch would drop the line's metrics silently.
fn hold_metrics(line: &Value) {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array();
    for directive in directives.into_iter().flatten() {
        let members = |list: &Value| list.as_array().expect("a list").clone();
        for metric in members(&directive["Metrics"]) {
            assert!(
                line[metric["Name"].as_str().expect("a name")].is_u64(),
                "{metric}: {line}"
            );
        }
        for dimension in members(&directive["Dimensions"]).iter().flat_map(members) {
            assert!(
                line[dimension.as_str().expect("a name")].is_string(),
                "{dimension}: {line}"
            );
        }
    }
}

fn names<T: Serialize>(values: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    let name = |value| match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        other => panic!("not a name: {other:?}"),
    };
    values.into_iter().map(name).collect()
}

fn enumerated(schema: &'static Value) -> BTreeSet<String> {
    let values = schema["enum"].as_array().unwrap_or_else(|| panic!("no enum: {schema}"));
    names(values)
}

/// All values of an enumeration of the code. A new one does not compile until it is listed.
macro_rules! all {
    ($type:ident: $($variant:ident),+) => {{
        let _exhaustive = |value: $type| match value { $($type::$variant => ()),+ };
        [$($type::$variant),+]
    }};
}

#[test]
fn enumerations_are_those_of_the_code() {
    let schemas = &openapi()["components"]["schemas"];
    let regions = names(Region::ALL);
    let states = names(all!(HealthState: Healthy, Degraded, Unusable, Unknown));
    let verdicts = names(all!(Verdict: Pass, Warn, Fail, Skipped));
    let statuses = names(all!(VaultStatus: Active, DecryptOnly, Disabled));
    let kinds = names(all!(MultiRegionKeyType: Primary, Replica));
    assert_eq!(enumerated(&schemas["Region"]), regions);
    assert_eq!(enumerated(&schemas["HealthState"]), states);
    assert_eq!(enumerated(&schemas["Verdict"]), verdicts);
    assert_eq!(enumerated(&schemas["VaultStatus"]), statuses);
    assert_eq!(enumerated(&schemas["MultiRegionKeyType"]), kinds);
    assert_eq!(enumerated(&schemas["Strategy"]), names(all!(Strategy: AwsKms, Managed)));
    let audit = &audit_schema()["$defs"];
    assert_eq!(enumerated(&audit["region"]), regions);
    assert_eq!(enumerated(&audit["health"]), states);
    let faults = names(all!(Fault: Caller, CustomerKey, Dependency, Service));
    assert_eq!(enumerated(&audit["request"]["properties"]["fault"]), faults);
}

#[test]
fn checks_are_those_of_the_code() {
    let stated = enumerated(&openapi()["components"]["schemas"]["Check"]);
    for name in &stated {
        let check: Check = serde_json::from_value(json!(name)).expect("a check");
        assert_ne!(check, Check::Unrecognized, "{name}");
    }
    // It is the last one, so its number is how many others there are.
    assert_eq!(stated.len(), Check::Unrecognized as usize);
}

/// Finds the types where problem.rs makes them, from a name, a status and a title.
#[test]
fn problem_types_are_those_of_the_code() {
    let source = include_str!("../../src/answers/problem.rs");
    let made: BTreeSet<String> = source
        .split("::new(")
        .skip(1)
        .filter_map(|made| made.trim_start().strip_prefix('"')?.split_once('"'))
        .filter(|(_, rest)| rest.trim_start_matches(',').trim_start().starts_with(['4', '5']))
        .map(|(name, _)| format!("urn:latchkey:problem:{name}"))
        .collect();
    assert!(made.len() >= 20, "{made:?}");
    assert_eq!(enumerated(&openapi()["components"]["schemas"]["ProblemType"]), made);
}

#[test]
fn every_problem_type_has_its_owner() {
    let types = enumerated(&openapi()["components"]["schemas"]["ProblemType"]);
    assert_eq!(owners().keys().cloned().collect::<BTreeSet<_>>(), types);
    let stated = enumerated(&audit_schema()["$defs"]["request"]["properties"]["fault"]);
    assert_eq!(owners().values().cloned().collect::<BTreeSet<_>>(), stated);
}

#[test]
fn the_operations_are_those_of_the_table() {
    let paths = openapi()["paths"].as_object().expect("paths").values();
    let entries = paths.flat_map(|path| path.as_object().expect("an object").values());
    let ids = names(entries.map(|entry| &entry["operationId"]).filter(|id| id.is_string()));
    assert_eq!(ids, operations().map(|operation| operation.name().to_owned()).collect());
    for operation in operations() {
        let roles = WorkspaceRole::ALL.iter().filter(|role| operation.admits(**role));
        let roles: BTreeSet<_> = roles.map(ToString::to_string).collect();
        let x_roles = stated(operation)["x-roles"].as_array().expect("roles");
        assert_eq!(names(x_roles), roles, "{}", operation.name());
    }
}

#[test]
fn a_line_or_an_answer_that_is_not_as_stated_is_found() {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    let problem = json!({ "type": "urn:latchkey:problem:forbidden", "title": "t", "status": 403, "detail": "d",
        "request_id": "0193af5cc80b7d1c9d2f6a1e5b7c3d4e" });
    assert_eq!(faults(&schema, &problem), [""; 0]);
    for (member, wrong) in [
        ("type", json!("urn:latchkey:problem:x")),
        ("status", json!("403")),
        ("extra", json!(1)),
    ] {
        let mut problem = problem.clone();
        problem[member] = wrong;
        assert!(!faults(&schema, &problem).is_empty(), "{problem}");
    }
    let line = json!({ "log": "audit", "at": "2026-11-24T08:30:00Z", "region": "us-east-2", "stage": "production", "operation": "encrypt-item",
        "request_id": "0193af5cc80b7d1c9d2f6a1e5b7c3d4e", "outcome": "succeeded", "status": 200, "duration_ms": 1 });
    let validator = validator(audit_schema());
    assert!(validator.is_valid(&line));
    let wrongs = [
        ("at", json!("yesterday")),
        ("outcome", json!("refused")),
        ("plaintext", json!("aGk=")),
        ("region", json!("")),
        ("fault", json!("caller")),
        ("errors_service", json!(0)),
    ];
    for (member, wrong) in wrongs {
        let mut line = line.clone();
        line[member] = wrong;
        assert!(!validator.is_valid(&line), "{line}");
    }
}
