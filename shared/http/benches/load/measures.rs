//! What is measured in a phase, and how it is printed.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::api::Called;

/// Measures of a phase that is running.
#[derive(Default)]
pub struct Measures(Mutex<BTreeMap<&'static str, Operation>>);

/// Measures of one operation.
#[derive(Clone, Default)]
pub struct Operation {
    /// In microseconds.
    took: Vec<u32>,
    items: usize,
    kms_calls: usize,
    vaults: usize,
}

impl Measures {
    /// Notes a call. `late` is how long the call had been due when it was made.
    pub fn note(&self, operation: &'static str, called: &Called, late: Duration, items: usize) {
        let mut operations = self.0.lock().unwrap();
        let measures = operations.entry(operation).or_default();
        measures
            .took
            .push(u32::try_from((late + called.took).as_micros()).unwrap_or(u32::MAX));
        measures.items += items;
        measures.kms_calls += called.kms_calls;
        measures.vaults += called.vaults;
    }

    pub fn requests(&self) -> usize {
        self.0
            .lock()
            .unwrap()
            .values()
            .map(|operation| operation.took.len())
            .sum()
    }

    pub fn finish(&self, seconds: f64, processor_seconds: f64, memory: Vec<(Duration, f64)>) -> Phase {
        let mut operations = self.0.lock().unwrap().clone();
        operations
            .values_mut()
            .for_each(|operation| operation.took.sort_unstable());
        Phase {
            operations,
            seconds,
            processor_seconds,
            memory,
        }
    }
}

/// Measures of a phase that has ended.
pub struct Phase {
    operations: BTreeMap<&'static str, Operation>,
    pub seconds: f64,
    processor_seconds: f64,
    pub memory: Vec<(Duration, f64)>,
}

impl Operation {
    /// In milliseconds.
    fn quantile(&self, share: f64) -> f64 {
        let last = self.took.len().saturating_sub(1);
        f64::from(self.took[(last as f64 * share) as usize]) / 1000.0
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| operation | requests/s | items/s | p50 | p90 | p99 | max | KMS calls a request |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        let a_second = |count: usize| count as f64 / self.seconds;
        let (mut requests, mut items) = (0, 0);
        for (name, operation) in &self.operations {
            let count = operation.took.len();
            (requests, items) = (requests + count, items + operation.items);
            writeln!(
                f,
                "| {name} | {:.1} | {:.0} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {:.3} |",
                a_second(count),
                a_second(operation.items),
                operation.quantile(0.5),
                operation.quantile(0.9),
                operation.quantile(0.99),
                operation.quantile(1.0),
                operation.kms_calls as f64 / count as f64,
            )?;
        }
        writeln!(
            f,
            "| all | {:.1} | {:.0} | | | | | |\n",
            a_second(requests),
            a_second(items)
        )?;
        let of_data_keys = ["encrypt-item", "decrypt-item"].map(|name| self.operations.get(name));
        let (asked, unwrapped) = of_data_keys
            .iter()
            .flatten()
            .fold((0, 0), |(asked, unwrapped), operation| {
                (asked + operation.vaults, unwrapped + operation.kms_calls)
            });
        let held = 1.0 - unwrapped as f64 / asked as f64;
        writeln!(f, "Data keys found in memory: {:.1} %.", held * 100.0)?;
        writeln!(
            f,
            "Processors in use: {:.2}; {:.2} ms a request, with what the load itself takes.",
            self.processor_seconds / self.seconds,
            self.processor_seconds * 1000.0 / requests as f64,
        )?;
        let memory: Vec<_> = self.memory.iter().map(|(_, memory)| format!("{memory:.0}")).collect();
        writeln!(f, "Resident memory, MiB: {}.", memory.join(" "))
    }
}
