//! What reading back finds, with and without comparing.

use base64ct::{Base64, Encoding};
use move_items::report::Report;
use serde_json::json;

use crate::fixtures::Move;
use crate::service::OLD;

const DECRYPT: &str = "/v1/items/decrypt";
const REASSIGN: &str = "/v1/items/reassign";

fn is_told_unsafe(report: &Report) -> bool {
    let told = report.to_string();
    assert_ne!(
        told.contains("\nSAFE TO RETIRE"),
        told.contains("NOT SAFE TO RETIRE"),
        "{told}"
    );
    told.contains("NOT SAFE TO RETIRE") && !report.all_moved()
}

#[tokio::test]
async fn no_plaintext_comes_here_unless_it_is_compared() {
    let moved = Move::new();
    let input = moved.input(120);
    let report = moved.run(&input).await.unwrap();
    assert!(!is_told_unsafe(&report));
    assert!(report.to_string().contains(&format!("out of {OLD}: 120")));
    assert_eq!(moved.service.calls_of(DECRYPT), 0);
    assert_eq!(moved.service.calls_of(REASSIGN), 4);
    // A second run of the same kind has nothing left to do. A run that compares reads everything back again.
    moved.run(&input).await.unwrap();
    assert_eq!(moved.service.calls_of(REASSIGN), 4);
    let report = moved.compare(&input).await.unwrap();
    assert!(report.to_string().contains("holds what it held before"));
    assert_eq!(
        (moved.service.calls_of(REASSIGN), moved.service.calls_of(DECRYPT)),
        (6, 4)
    );
    moved.run(&input).await.unwrap();
    assert_eq!(moved.service.calls_of(REASSIGN), 6, "compared is more than read back");
}

#[tokio::test]
async fn an_item_that_holds_something_else_is_found_by_comparing_alone() {
    let moved = Move::new();
    moved.service.change_answers(DECRYPT, |answer| {
        // Changes only the second of the two answers that are compared, so it counts the calls.
        use std::sync::atomic::{AtomicUsize, Ordering};
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        if CALLS.fetch_add(1, Ordering::Relaxed) == 1 {
            answer["items"][1]["plaintext"] = json!(Base64::encode_string(b"another"));
        }
    });
    let input = moved.input(3);
    assert!(!is_told_unsafe(&moved.run(&input).await.unwrap()));
    let report = moved.compare(&input).await.unwrap();
    assert!(is_told_unsafe(&report));
    assert_eq!((report.journal.read_back.good, report.journal.read_back.bad), (2, 1));
    let failure = &moved.failures()[0];
    assert_eq!(
        (&failure["line"], &failure["type"], &failure["phase"]),
        (
            &json!(2),
            &json!("urn:latchkey:move-items:differs"),
            &json!("read_back")
        )
    );
    let told = failure.to_string();
    assert!(!told.contains("another") && !told.contains("canary") && !told.contains("Y2FuYXJ5"));
}

#[tokio::test]
async fn an_item_that_does_not_read_back_keeps_the_key() {
    let moved = Move::new();
    moved.service.change_answers(REASSIGN, |answer| {
        for item in answer["items"].as_array_mut().unwrap() {
            if item["outcome"] == "unchanged" && item["item_id"] == "item-1" {
                *item = json!({
                    "item_id": "item-1",
                    "error": { "type": "urn:latchkey:problem:item-does-not-open", "status": 422, "detail": "d" }
                });
            }
            if item["outcome"] == "unchanged" && item["item_id"] == "item-2" {
                *item = json!({ "item_id": "item-2", "outcome": "would_move" });
            }
        }
    });
    let report = moved.run(&moved.input(4)).await.unwrap();
    assert!(is_told_unsafe(&report));
    assert_eq!((report.journal.moved, report.journal.failed), (4, 0));
    assert_eq!((report.journal.read_back.good, report.journal.read_back.bad), (2, 2));
    let lines: Vec<_> = moved.failures().iter().map(|it| it["line"].clone()).collect();
    assert_eq!(lines, [2, 3]);
}

#[tokio::test]
async fn an_output_with_failures_is_the_input_of_the_next_move() {
    let moved = Move::new();
    let lines = [
        moved.line(0),
        moved.line(1).replace("\"ann\"", "\"bob\""),
        moved.line(2),
    ];
    assert!(is_told_unsafe(&moved.run(&lines.join("\n")).await.unwrap()));
    let mended = moved.output().join("\n").replace("\"bob\"", "\"ann\"");
    let next = Move {
        service: moved.service.clone(),
        ..Move::new()
    };
    let report = next.run(&mended).await.unwrap();
    assert!(!is_told_unsafe(&report));
    assert_eq!((report.journal.moved, report.journal.unchanged), (1, 2));
    assert_eq!(
        (&next.output()[0], &next.output()[2]),
        (&moved.output()[0], &moved.output()[2])
    );
}
