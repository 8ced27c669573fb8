//! What is retried, what is sent in another way, and what is accepted as an answer.

use std::time::Duration;

use move_items::item_line::ItemLine;
use move_items::stop::Stop;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fixtures::Move;
use crate::service::{Change, Mishap, NEW, OLD};

const REASSIGN: &str = "/v1/items/reassign";

#[tokio::test(start_paused = true)]
async fn what_passes_is_asked_again_and_not_before_it_was_asked_to() {
    let moved = Move::new();
    let input = moved.input(2);
    moved.service.order([
        Some(Mishap::Problem(429, "throttled", Some(9))),
        Some(Mishap::Problem(503, "unavailable", Some(7))),
        Some(Mishap::Problem(504, "out-of-time", None)),
        Some(Mishap::Lost),
        Some(Mishap::AnswerLost),
        Some(Mishap::ItemsUnanswered),
    ]);
    let began = Instant::now();
    assert!(moved.run(&input).await.unwrap().all_moved());
    assert!((16..60).contains(&began.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let moved = Move::new();
    let input = moved.input(2);
    moved
        .service
        .order(vec![Some(Mishap::Problem(503, "unavailable", None)); 10_000]);
    let began = Instant::now();
    assert!(matches!(moved.run(&input).await, Err(Stop::Unanswered { .. })));
    assert!(began.elapsed() <= Duration::from_secs(300));
    // If only an item stays unanswered, that item fails in the end.
    let moved = Move::new();
    moved.service.order(vec![Some(Mishap::ItemsUnanswered); 10_000]);
    let report = moved.run(&moved.input(2)).await;
    assert!(report.is_err_and(|stop| stop.to_string().contains("503")) || moved.failures().len() == 2);
}

#[tokio::test]
async fn a_refusal_ends_the_run_and_the_next_one_goes_on() {
    for (status, name) in [
        (401, "unauthenticated"),
        (403, "forbidden"),
        (404, "vault-not-found"),
        (409, "vault-unusable"),
        (424, "customer-key-refused"),
        (500, "internal"),
    ] {
        let moved = Move {
            parallel: 1,
            ..Move::new()
        };
        let input = moved.input(150);
        moved.service.order([None, Some(Mishap::Problem(status, name, None))]);
        let Err(Stop::Refused(why)) = moved.run(&input).await else {
            panic!("refused");
        };
        assert!(why.contains(name) && why.contains(&status.to_string()), "{why}");
        assert_eq!(moved.output().len(), 100);
        assert!(moved.run(&input).await.unwrap().all_moved());
        assert_eq!(moved.output().len(), 150);
    }
}

#[tokio::test]
async fn a_call_that_is_too_large_is_made_in_halves() {
    let moved = Move::new();
    let input = moved.input(5);
    moved.service.order(vec![Some(Mishap::TooMany); 2]);
    assert!(moved.run(&input).await.unwrap().all_moved());
    assert_eq!(moved.service.take_resealed().len(), 3);
}

#[tokio::test]
async fn an_item_that_alone_is_too_large_fails_alone() {
    let moved = Move::new();
    moved.service.order([Some(Mishap::Problem(413, "too-large", None))]);
    let report = moved.run(&moved.input(1)).await.unwrap();
    assert!(!report.all_moved());
    assert_eq!(moved.failures()[0]["type"], "urn:latchkey:problem:too-large");
}

#[tokio::test]
async fn an_item_that_spoils_its_call_fails_alone() {
    let moved = Move::new();
    let lines = [moved.line(0), moved.line_in(OLD, "refused-1"), moved.line(2)];
    let report = moved.run(&lines.join("\n")).await.unwrap();
    assert_eq!((report.journal.moved, report.journal.failed), (2, 1));
    assert_eq!(moved.output()[1], lines[1]);
    let failure = &moved.failures()[0];
    assert_eq!(
        (&failure["line"], &failure["item_id"]),
        (&json!(2), &json!("refused-1"))
    );
    let told = report.to_string();
    assert!(
        told.contains("NOT SAFE TO RETIRE") && told.contains("output.jsonl.failures"),
        "{told}"
    );
}

/// Whatever is changed in a 200, none of it gets into the output.
#[tokio::test]
async fn an_answer_to_something_else_is_no_answer() {
    let changes: [Change; 9] = [
        |answer| drop(answer["items"].as_array_mut().unwrap().pop()),
        |answer| answer["items"].as_array_mut().unwrap().swap(0, 1),
        |answer| answer["items"][1]["item_id"] = json!("item-7"),
        |answer| answer["items"][1]["outcome"] = json!("lost"),
        |answer| answer["items"][1]["sealed_item"] = Value::Null,
        |answer| {
            let other = answer["items"][0]["sealed_item"].clone();
            answer["items"][1]["sealed_item"] = other;
        },
        |answer| {
            let cut = answer["items"][1]["sealed_item"].as_str().unwrap()[..400].to_owned();
            answer["items"][1]["sealed_item"] = json!(cut);
        },
        |answer| answer["items"][1]["sealed_item"] = json!("\" , \"x\":\""),
        |answer| *answer = json!({ "items": "all" }),
    ];
    for change in changes {
        let moved = Move::new();
        moved.service.change_answers(REASSIGN, change);
        assert!(matches!(moved.run(&moved.input(2)).await, Err(Stop::NoAnswer(_))));
        assert_eq!(moved.output().len(), 0);
    }
}

#[test]
fn an_item_is_taken_only_in_the_target_and_as_itself() {
    let moved = Move::new();
    let item = ItemLine::parse(moved.line(0).as_bytes()).unwrap().item;
    let sealed = |vault_id: &str, item_id: &str, owner: &str| {
        moved.service.seal(vault_id, item_id, &json!({ "owner": owner }), b"x")
    };
    assert!(item.is_sealed_as(&sealed(NEW, "item-0", "ann"), NEW));
    assert!(!item.is_sealed_as(&sealed(OLD, "item-0", "ann"), NEW));
    assert!(!item.is_sealed_as(&sealed(NEW, "item-1", "ann"), NEW));
    assert!(!item.is_sealed_as(&sealed(NEW, "item-0", "bob"), NEW));
    assert!(!item.is_sealed_as("", NEW));
}
