//! Checks that every call in these tests is one that a global table with strong multi-Region consistency allows.
//!
//! Sources in the DynamoDB developer guide: "Global tables - multi-Region strong consistency (MRSC)": no transactions,
//! no TTL, no local index; "Read consistency": a read is strong only if it asks to be, and a read of a global index
//! cannot.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The DynamoDB operations that the service uses. Each works on one item, or reads one partition.
const OPERATIONS: [&str; 5] = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"];

/// Panics unless the table allows the call, and the call sees every write that either Region has answered.
pub(crate) fn hold(operation: &str, body: &Value) {
    assert!(OPERATIONS.contains(&operation), "{operation} is not to be called");
    let of_index = body.get("IndexName").is_some();
    match operation {
        "GetItem" => assert_eq!(body["ConsistentRead"], true, "a read that may be behind: {body}"),
        "Query" if of_index => assert_ne!(body["ConsistentRead"], true, "a global index refuses this: {body}"),
        "Query" => assert_eq!(body["ConsistentRead"], true, "a read that may be behind: {body}"),
        "UpdateItem" => {
            // Without this condition, an update would create a record of only the attributes that it sets.
            let condition = body["ConditionExpression"].as_str().unwrap_or_default();
            assert!(condition.starts_with("attribute_exists(#pk)"), "{body}");
        }
        _ => {}
    }
}

/// Every source file that ships.
fn sources() -> Vec<PathBuf> {
    fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["aws/src", "http/src", "core/src", "../functions"] {
        collect(&shared.join(folder), &mut found);
    }
    assert!(found.len() > 50, "{found:?}");
    found
}

/// The methods that this source calls on a client, as in `self.client.get_item()`.
fn called_on_clients(source: &str) -> Vec<&str> {
    let after_clients = source.split("client").skip(1);
    after_clients
        .filter_map(|after| after.trim_start().strip_prefix('.'))
        .filter_map(|after| after.split_once('('))
        .map(|(method, _)| method)
        .collect()
}

#[test]
fn the_sources_call_no_other_operation() {
    let mut called = Vec::new();
    for path in sources() {
        let source = fs::read_to_string(&path).expect("text");
        for forbidden in [
            "transact_write",
            "transact_get",
            "execute_statement",
            "execute_transaction",
            "batch_execute",
            "batch_get_item",
            "batch_write_item",
            "update_time_to_live",
            "TimeToLive",
            "TransactWrite",
        ] {
            assert!(!source.contains(forbidden), "{forbidden} in {}", path.display());
        }
        let operations = source.matches("aws_sdk_dynamodb::Client").count();
        let table = path.ends_with("vault_records/table.rs");
        let makes_it = path.ends_with("connection.rs") || path.ends_with("vault_records/mod.rs");
        assert!(operations == 0 || makes_it || table, "a client in {}", path.display());
        if table {
            called.extend(called_on_clients(&source).into_iter().map(str::to_owned));
        }
    }
    called.sort();
    called.dedup();
    assert_eq!(called, ["delete_item", "get_item", "put_item", "query", "update_item"]);
}

#[test]
#[should_panic(expected = "is not to be called")]
fn a_transaction_is_noticed() {
    hold("TransactWriteItems", &Value::Null);
}

#[test]
#[should_panic(expected = "may be behind")]
fn a_read_that_may_be_behind_is_noticed() {
    hold("GetItem", &serde_json::json!({"ConsistentRead": false}));
}

#[test]
#[should_panic(expected = "may be behind")]
fn a_query_that_may_be_behind_is_noticed() {
    hold("Query", &serde_json::json!({}));
}
