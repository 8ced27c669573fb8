//! Metrics of a canary's round, on its log line.

use jiff::Timestamp;
use serde::Serialize;

use crate::telemetry::metrics::{Dimensions, Metadata, NamedUnit};

const DIMENSIONS: Dimensions = &[&["stage"]];
const METRICS: [NamedUnit; 2] = [("canary_succeeded", "Count"), ("canary_failed", "Count")];
const ENCRYPT: NamedUnit = ("canary_encrypt_ms", "Milliseconds");
const DECRYPT: NamedUnit = ("canary_decrypt_ms", "Milliseconds");
const DECRYPT_ELSEWHERE: NamedUnit = ("canary_decrypt_elsewhere_ms", "Milliseconds");

/// Whether a round succeeded, and how long each step took that was tried.
#[derive(Serialize)]
pub struct CanaryMetrics {
    #[serde(rename = "_aws")]
    metadata: Metadata,
    canary_succeeded: u8,
    canary_failed: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary_encrypt_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary_decrypt_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary_decrypt_elsewhere_ms: Option<u64>,
}

impl CanaryMetrics {
    /// The metrics of a round that ended at `at`, with the milliseconds of its three steps.
    pub fn new(
        at: Timestamp,
        succeeded: bool,
        encrypt_ms: Option<u64>,
        decrypt_ms: Option<u64>,
        decrypt_elsewhere_ms: Option<u64>,
    ) -> Self {
        let steps = [
            (ENCRYPT, encrypt_ms),
            (DECRYPT, decrypt_ms),
            (DECRYPT_ELSEWHERE, decrypt_elsewhere_ms),
        ];
        let tried = steps.into_iter().filter(|(_, took)| took.is_some());
        let metrics = METRICS.into_iter().chain(tried.map(|(metric, _)| metric));
        Self {
            metadata: Metadata::new(at, DIMENSIONS, metrics),
            canary_succeeded: succeeded.into(),
            canary_failed: (!succeeded).into(),
            canary_encrypt_ms: encrypt_ms,
            canary_decrypt_ms: decrypt_ms,
            canary_decrypt_elsewhere_ms: decrypt_elsewhere_ms,
        }
    }
}
