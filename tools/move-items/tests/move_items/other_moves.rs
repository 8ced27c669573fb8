//! Files that do not belong to this move are left as they are.

use std::fs;
use std::fs::File;

use move_items::ledger::journal_path;
use move_items::stop::Stop;

use crate::fixtures::Move;
use crate::service::{NEW, OLD};

/// A move that has begun and has moved its whole input.
async fn begun(items: usize) -> (Move, String) {
    let moved = Move::new();
    let input = moved.input(items);
    assert!(moved.run(&input).await.unwrap().all_moved());
    (moved, input)
}

#[tokio::test]
async fn an_input_that_goes_on_is_gone_on_with() {
    let (moved, input) = begun(3).await;
    let before = moved.output();
    let longer = format!("{input}{}", moved.line(3));
    let report = moved.run(&longer).await.unwrap();
    assert!(report.all_moved());
    assert_eq!((report.journal.moved, report.journal.read_back.good), (4, 4));
    assert_eq!(moved.output()[..3], before);
}

/// As when the program that writes the input has failed.
#[tokio::test]
async fn an_empty_input_moves_nothing_and_may_be_given_in_full_later() {
    let moved = Move::new();
    assert!(!moved.run("").await.unwrap().all_moved());
    assert_eq!(moved.output().len(), 0);
    assert!(moved.run(&moved.input(3)).await.unwrap().all_moved());
}

#[tokio::test]
async fn another_input_is_refused() {
    let (moved, input) = begun(3).await;
    let output = moved.output();
    let shorter: String = input.lines().take(2).map(|line| format!("{line}\n")).collect();
    for other in [input.replacen("1.10", "1.1", 1), shorter, String::new()] {
        assert!(matches!(moved.run(&other).await, Err(Stop::OtherMove(_))));
    }
    assert_eq!(moved.output(), output);
}

#[tokio::test]
async fn another_target_is_refused() {
    let (mut moved, input) = begun(3).await;
    moved.to = OLD;
    assert!(matches!(moved.run(&input).await, Err(Stop::OtherMove(_))));
    moved.to = NEW;
    assert!(moved.run(&input).await.is_ok());
}

#[tokio::test]
async fn an_output_that_was_changed_or_is_somebody_elses_is_left_alone() {
    let (moved, input) = begun(3).await;
    let text = fs::read_to_string(moved.output_path()).unwrap();
    let cut = &text[..text.len() - 1];
    for other in [text.replacen("1.10", "1.11", 1), cut.to_owned(), String::new()] {
        fs::write(moved.output_path(), &other).unwrap();
        assert!(matches!(moved.run(&input).await, Err(Stop::OtherMove(_))));
        assert_eq!(fs::read_to_string(moved.output_path()).unwrap(), other);
    }
    fs::write(moved.output_path(), &text).unwrap();
    fs::write(journal_path(&moved.output_path()), "{}").unwrap();
    assert!(matches!(moved.run(&input).await, Err(Stop::OtherMove(_))));
    fs::remove_file(journal_path(&moved.output_path())).unwrap();
    assert!(matches!(moved.run(&input).await, Err(Stop::OtherMove(_))));
    assert_eq!(fs::read_to_string(moved.output_path()).unwrap(), text);
}

#[tokio::test]
async fn two_at_a_time_are_one_too_many() {
    let (moved, input) = begun(1).await;
    let other = File::open(moved.output_path()).unwrap();
    other.lock().unwrap();
    assert!(matches!(moved.run(&input).await, Err(Stop::Disk { .. })));
    other.unlock().unwrap();
    assert!(moved.run(&input).await.is_ok());
}
