//! Metrics, as members of log lines that CloudWatch Logs makes metrics of.
//!
//! A line is in the embedded metric format: a JSON object whose member `_aws` names which of the other members are
//! metrics, and which are their dimensions. Source: CloudWatch user guide, "Specification: Embedded metric format". That is
//! all there is to it, so it is written here; the crate for it would bring 48 others.
//!
//! No dimension names a workspace, a vault or a caller: each value of one is a metric of its own, paid for by the month, and
//! who may read metrics need not know our customers.

mod canary;
mod request;
mod sweep;

pub use canary::CanaryMetrics;
pub use request::{RequestMetrics, error_metric};
pub use sweep::SweepMetrics;

use jiff::Timestamp;
use serde::Serialize;

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Latchkey";

/// A metric's name and its unit, as CloudWatch has it.
pub type NamedUnit = (&'static str, &'static str);

/// Sets of dimensions: each metric is there once for each set. Region is CloudWatch's own.
pub(crate) type Dimensions = &'static [&'static [&'static str]];

/// The member `_aws` of a line.
#[derive(Serialize)]
pub struct Metadata {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: [Directive; 1],
}

impl Metadata {
    /// Makes metrics of these members of a line that was written at `at`.
    pub(crate) fn new(at: Timestamp, dimensions: Dimensions, metrics: impl IntoIterator<Item = NamedUnit>) -> Self {
        let metrics = metrics.into_iter().map(|(name, unit)| Metric { name, unit }).collect();
        Self {
            timestamp: at.as_millisecond(),
            directives: [Directive {
                namespace: NAMESPACE,
                dimensions,
                metrics,
            }],
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: Dimensions,
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}
