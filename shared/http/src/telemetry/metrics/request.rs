//! Metrics of a request. They are on its audit line, so a request logs and pays for one line only.

use std::collections::BTreeSet;

use jiff::Timestamp;
use latchkey_core::error::Fault;
use serde::Serialize;

use crate::telemetry::metrics::{Dimensions, Metadata, NamedUnit};

const DIMENSIONS: Dimensions = &[&["stage"], &["stage", "operation"]];
/// It is on the line of every request of a caller, so its sample count is the number of requests. The value is a member
/// of the audit record.
const DURATION: NamedUnit = ("duration_ms", "Milliseconds");
/// Each item is one more message under its vault's data key. The value is a member of the audit record.
const ITEMS_SEALED: NamedUnit = ("items_sealed", "Count");

/// The metric that counts the requests with an error that is this owner's fault.
pub const fn error_metric(fault: Fault) -> &'static str {
    match fault {
        Fault::Caller => "errors_caller",
        Fault::CustomerKey => "errors_customer_key",
        Fault::Dependency => "errors_dependency",
        Fault::Service => "errors_service",
    }
}

/// What an audit line has for CloudWatch: which of its members are metrics, and whose errors the request met. A request
/// counts once for each owner, whether the error was its own or that of one or many items.
#[derive(Serialize)]
pub struct RequestMetrics {
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_caller: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_customer_key: Option<u8>,
    /// 0 if there was none, on the line of every request of a caller. So its average is the rate of these errors,
    /// whatever the traffic. Alarms on the other metrics use their sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_dependency: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_service: Option<u8>,
}

impl RequestMetrics {
    /// The metrics of a request that was answered at `at` and met errors of these owners. A run that the schedule
    /// starts is not a caller's request (`is_call` is false), so only its errors count.
    pub fn new(at: Timestamp, is_call: bool, faults: &BTreeSet<Fault>, has_sealed: bool) -> Self {
        let met = |fault| faults.contains(&fault).then_some(1);
        let dependency = met(Fault::Dependency).or_else(|| is_call.then_some(0));
        let errors = [
            (Fault::Caller, met(Fault::Caller)),
            (Fault::CustomerKey, met(Fault::CustomerKey)),
            (Fault::Dependency, dependency),
            (Fault::Service, met(Fault::Service)),
        ];
        let counted = errors.into_iter().filter(|(_, count)| count.is_some());
        let metrics: Vec<NamedUnit> = is_call
            .then_some(DURATION)
            .into_iter()
            .chain(counted.map(|(fault, _)| (error_metric(fault), "Count")))
            .chain(has_sealed.then_some(ITEMS_SEALED))
            .collect();
        Self {
            metadata: (!metrics.is_empty()).then(|| Metadata::new(at, DIMENSIONS, metrics)),
            errors_caller: met(Fault::Caller),
            errors_customer_key: met(Fault::CustomerKey),
            errors_dependency: dependency,
            errors_service: met(Fault::Service),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(is_call: bool, faults: &[Fault], has_sealed: bool) -> Value {
        let faults = faults.iter().copied().collect();
        serde_json::to_value(RequestMetrics::new(Timestamp::UNIX_EPOCH, is_call, &faults, has_sealed)).expect("JSON")
    }

    fn metrics(line: &Value) -> Vec<&str> {
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
        metrics
            .into_iter()
            .flatten()
            .filter_map(|metric| metric["Name"].as_str())
            .collect()
    }

    #[test]
    fn a_request_without_errors_counts_as_one_without_errors_of_dependencies() {
        let line = line(true, &[], true);
        assert_eq!(metrics(&line), ["duration_ms", "errors_dependency", "items_sealed"]);
        assert_eq!(line["errors_dependency"], 0);
        assert_eq!(line.as_object().map(serde_json::Map::len), Some(2), "{line}");
        let dimensions = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        assert_eq!(dimensions, &json!([["stage"], ["stage", "operation"]]));
    }

    #[test]
    fn each_owner_has_its_metric_and_is_counted_once() {
        use Fault::{Caller, CustomerKey, Dependency, Service};
        for fault in [Caller, CustomerKey, Dependency, Service] {
            let line = line(true, &[fault, fault], false);
            let name = error_metric(fault);
            assert!(metrics(&line).contains(&name), "{line}");
            assert_eq!(line[name], 1);
            assert_eq!(
                name,
                format!(
                    "errors_{}",
                    serde_json::to_value(fault).expect("JSON").as_str().expect("text")
                )
            );
        }
        let all = line(true, &[Caller, CustomerKey, Dependency, Service], false);
        assert_eq!(metrics(&all).len(), 5, "{all}");
    }

    #[test]
    fn what_the_schedule_starts_is_no_request_and_its_errors_count() {
        assert_eq!(line(false, &[], false), json!({}));
        let failed = line(false, &[Fault::Service], false);
        assert_eq!(metrics(&failed), ["errors_service"]);
        assert_eq!(failed.get("errors_dependency"), None);
    }
}
