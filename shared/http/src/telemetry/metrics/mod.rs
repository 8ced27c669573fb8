//! Metrics, written as members of log lines. CloudWatch Logs turns them into metrics.
//!
//! The lines use the embedded metric format: in a JSON object, the member `_aws` names which other members are metrics
//! and which are their dimensions. Source: CloudWatch user guide, "Specification: Embedded metric format". The format
//! is so small that it is written here; the crate for it would bring 48 others.
//!
//! No dimension names a workspace, a vault or a caller. Each value of a dimension makes a metric of its own, which is
//! paid for by the month, and readers of metrics need not know our customers.

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

/// A metric's name, and its unit as CloudWatch spells it.
pub type NamedUnit = (&'static str, &'static str);

/// Sets of dimensions. Each metric exists once for each set. CloudWatch itself keeps Regions apart.
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
    /// Makes metrics from these members of a line that was written at `at`.
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
