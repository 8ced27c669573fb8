//! What this process uses: memory and processor time (proc(5)).

use core::time::Duration;
use std::fs;

/// Resident memory, in MiB.
pub fn memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
    kibibytes / 1024.0
}

/// User and system time so far, in seconds.
pub fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// By how many MiB a minute memory grows: the least-squares line through the samples, without the first fifth of the
/// time. `None` if they cover less than a minute.
pub fn memory_slope(samples: &[(Duration, f64)]) -> Option<f64> {
    let end = samples.last()?.0;
    let warm: Vec<(f64, f64)> = samples
        .iter()
        .filter(|(at, _)| *at >= end / 5)
        .map(|(at, memory)| (at.as_secs_f64() / 60.0, *memory))
        .collect();
    if warm.last()?.0 - warm.first()?.0 < 1.0 {
        return None;
    }
    let count = warm.len() as f64;
    let mean_at = warm.iter().map(|(at, _)| at).sum::<f64>() / count;
    let mean_memory = warm.iter().map(|(_, memory)| memory).sum::<f64>() / count;
    let covariance: f64 = warm
        .iter()
        .map(|(at, memory)| (at - mean_at) * (memory - mean_memory))
        .sum();
    let variance: f64 = warm.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
    Some(covariance / variance)
}
