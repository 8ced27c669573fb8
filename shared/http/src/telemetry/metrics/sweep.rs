//! Metrics of a sweep. They have a line of their own, because one sweep checks many vaults.

use jiff::Timestamp;
use latchkey_core::operations::Swept;
use serde::Serialize;

use crate::telemetry::metrics::{Metadata, NamedUnit};

/// What one sweep did and found. One of the Regions checks every vault with a customer's key once a minute. So a count,
/// summed over a minute and both Regions, covers all of these vaults. A managed vault counts once an hour.
#[derive(Serialize)]
pub struct SweepMetrics {
    #[serde(rename = "_aws")]
    metadata: Metadata,
    /// The one dimension. It tells the stages in one account apart.
    stage: String,
    vaults_checked: u32,
    vaults_validated: u32,
    vaults_changed: u32,
    vaults_failed: u32,
    vaults_left: u32,
    vaults_degraded: u32,
    vaults_unusable: u32,
    vaults_unknown: u32,
    vaults_unannounced: u32,
    events_announced: u32,
    /// The longest time that a checked vault had been due.
    sweep_lag_seconds: u64,
}

/// The metrics by name, with their units.
const METRICS: [NamedUnit; 11] = [
    ("vaults_checked", "Count"),
    ("vaults_validated", "Count"),
    ("vaults_changed", "Count"),
    ("vaults_failed", "Count"),
    ("vaults_left", "Count"),
    ("vaults_degraded", "Count"),
    ("vaults_unusable", "Count"),
    ("vaults_unknown", "Count"),
    ("vaults_unannounced", "Count"),
    ("events_announced", "Count"),
    ("sweep_lag_seconds", "Seconds"),
];

impl SweepMetrics {
    /// The metrics of a sweep of `stage` that ended at `at`.
    pub fn new(swept: &Swept, stage: &str, at: Timestamp) -> Self {
        Self {
            metadata: Metadata::new(at, &[&["stage"]], METRICS),
            stage: stage.to_owned(),
            vaults_checked: swept.checked,
            vaults_validated: swept.validated,
            vaults_changed: swept.changed,
            vaults_failed: swept.failed,
            vaults_left: swept.left,
            vaults_degraded: swept.degraded,
            vaults_unusable: swept.unusable,
            vaults_unknown: swept.unknown,
            vaults_unannounced: swept.unannounced,
            events_announced: swept.announced,
            sweep_lag_seconds: swept.longest_wait.as_secs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::super::NAMESPACE;
    use super::*;

    #[test]
    fn every_metric_that_is_named_has_a_value() {
        let swept = Swept {
            unusable: 3,
            longest_wait: Duration::from_millis(61_900),
            ..Swept::default()
        };
        let line = SweepMetrics::new(&swept, "production", Timestamp::UNIX_EPOCH);
        let line = serde_json::to_value(line).expect("JSON");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], NAMESPACE);
        for metric in directive["Metrics"].as_array().expect("metrics") {
            let name = metric["Name"].as_str().expect("a name");
            assert!(line[name].is_u64(), "{name}");
        }
        for dimension in directive["Dimensions"][0].as_array().expect("dimensions") {
            let name = dimension.as_str().expect("a name");
            assert!(line[name].is_string(), "{name}");
        }
        let members = line.as_object().expect("an object").len();
        assert_eq!(members, 2 + METRICS.len(), "every value is a metric");
        assert_eq!(
            (&line["vaults_unusable"], &line["sweep_lag_seconds"]),
            (&3.into(), &61.into())
        );
    }
}
