//! The tables of docs/validation.md contain every check, in the order of a report.

use latchkey_core::findings::Check;

use super::report_of;
use crate::fixtures::Service;

/// The first column of the tables that list checks.
fn documented() -> Vec<Check> {
    include_str!("../../../../../docs/validation.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| serde_json::from_value(name.into()).unwrap())
        .collect()
}

#[tokio::test]
async fn every_check_is_documented_in_the_order_of_the_report() {
    let documented = documented();
    assert!(!documented.contains(&Check::Unrecognized), "{documented:?}");
    // `Unrecognized` is the last variant, so its number is the count of the others.
    assert_eq!(documented.len(), Check::Unrecognized as usize);
    let mut reported = Vec::new();
    for outcome in report_of(&Service::new().customer, None).await.checks {
        if !reported.contains(&outcome.check) {
            reported.push(outcome.check);
        }
    }
    assert_eq!(documented, reported);
}
