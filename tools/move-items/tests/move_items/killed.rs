//! However often a move is killed, and wherever, nothing is lost, nothing is there twice, and what was counted stays.

use std::collections::BTreeSet;
use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::fixtures::{Move, plaintext_of};
use crate::mortal_disk::MortalDisk;
use crate::service::{Mishap, NEW, OLD};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Moves,
    IsThere,
    DoesNotOpen,
    IsRefused,
    IsNoItem,
    IsBlank,
}

impl Kind {
    const fn fails(self) -> bool {
        matches!(self, Self::DoesNotOpen | Self::IsRefused | Self::IsNoItem)
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        60 => Just(Kind::Moves),
        5 => Just(Kind::IsThere),
        1 => Just(Kind::DoesNotOpen),
        1 => Just(Kind::IsRefused),
        1 => Just(Kind::IsNoItem),
        1 => Just(Kind::IsBlank),
    ]
}

fn mishap() -> impl Strategy<Value = Option<Mishap>> {
    prop_oneof![
        6 => Just(None),
        1 => Just(Some(Mishap::Lost)),
        1 => Just(Some(Mishap::AnswerLost)),
        1 => Just(Some(Mishap::Problem(429, "throttled", Some(1)))),
        1 => Just(Some(Mishap::Problem(504, "out-of-time", None))),
        1 => Just(Some(Mishap::TooMany)),
        1 => Just(Some(Mishap::ItemsUnanswered)),
    ]
}

fn line(moved: &Move, number: usize, kind: Kind) -> String {
    match kind {
        Kind::Moves => moved.line(number),
        Kind::IsThere => moved.line_in(NEW, &format!("item-{number}")),
        Kind::DoesNotOpen => moved.line(number).replace("\"ann\"", "\"bob\""),
        Kind::IsRefused => moved.line_in(OLD, &format!("refused-{number}")),
        Kind::IsNoItem => format!("{{\"item_id\": {number}}}"),
        Kind::IsBlank => " ".to_owned(),
    }
}

/// The part of the output that counts.
fn counted(moved: &Move) -> (usize, Vec<u8>) {
    let journal = moved.journal();
    let Some(bytes) = journal["output_bytes"].as_u64() else {
        return (0, Vec::new());
    };
    let mut output = fs::read(moved.output_path()).unwrap();
    output.truncate(usize::try_from(bytes).unwrap());
    (usize::try_from(journal["lines"].as_u64().unwrap()).unwrap(), output)
}

async fn killed_again_and_again(
    kinds: Vec<Kind>,
    kills: Vec<(usize, u8, bool)>,
    mishaps: Vec<Option<Mishap>>,
    parallel: usize,
    compare: bool,
) {
    let moved = Move {
        parallel,
        ..Move::new()
    };
    let numbered = || kinds.iter().copied().enumerate();
    let lines: Vec<String> = numbered().map(|(number, kind)| line(&moved, number, kind)).collect();
    let input = lines.join("\n");
    moved.service.order(mishaps);
    let mut died = 0;
    let mut before = (0, Vec::new());
    let report = loop {
        let (steps, part, loses_power) = kills.get(died).copied().unwrap_or((usize::MAX, 0, false));
        let disk = MortalDisk::new(steps, part, loses_power);
        let outcome = moved.run_on(disk, &input, compare).await;
        let after = counted(&moved);
        assert!(
            after.0 >= before.0 && after.1.starts_with(&before.1),
            "what counted stays"
        );
        let counted_ids: BTreeSet<String> = (0..before.0).map(|number| format!("item-{number}")).collect();
        let resealed = moved.service.take_resealed();
        assert!(
            !resealed.iter().flatten().any(|id| counted_ids.contains(id)),
            "what counted is not moved again"
        );
        before = after;
        match outcome {
            Ok(report) => break report,
            Err(stop) => {
                assert!(stop.to_string().contains("killed"), "{stop}");
                died += 1;
            }
        }
    };

    assert_eq!(
        fs::read_dir(moved.folder.path()).unwrap().count(),
        3,
        "no torn file stays"
    );
    let output = moved.output();
    assert_eq!(output.len(), lines.len(), "as many lines as there were");
    for ((number, kind), (was, is)) in numbered().zip(lines.iter().zip(&output)) {
        if kind != Kind::Moves {
            assert_eq!(was, is);
            continue;
        }
        let (old, new): (Value, Value) = (serde_json::from_str(was).unwrap(), serde_json::from_str(is).unwrap());
        let id = format!("item-{number}");
        assert_eq!(moved.service.open(&new), Some((NEW.to_owned(), plaintext_of(&id))));
        let sealed = |item: &Value| item["sealed_item"].as_str().unwrap().to_owned();
        assert_eq!(
            was.replace(&sealed(&old), ""),
            is.replace(&sealed(&new), ""),
            "the rest stays"
        );
    }
    let count = |of: Kind| numbered().filter(|(_, kind)| *kind == of).count() as u64;
    let failed: Vec<u64> = numbered()
        .filter(|(_, kind)| kind.fails())
        .map(|(number, _)| number as u64 + 1)
        .collect();
    let told: Vec<u64> = moved.failures().iter().map(|it| it["line"].as_u64().unwrap()).collect();
    assert_eq!(told, failed);
    let journal = &report.journal;
    assert_eq!(
        (journal.moved, journal.unchanged, journal.failed, journal.blank),
        (
            count(Kind::Moves),
            count(Kind::IsThere),
            failed.len() as u64,
            count(Kind::IsBlank)
        )
    );
    assert_eq!(
        journal.from_vaults.get(OLD).copied().unwrap_or_default(),
        count(Kind::Moves)
    );
    assert_eq!(
        (journal.read_back.good, journal.read_back.bad),
        (journal.moved + journal.unchanged, 0)
    );
    let items = journal.moved + journal.unchanged;
    assert_eq!(report.all_moved(), failed.is_empty() && items > 0);
}

/// A finished move has nothing on disk that its journal does not count, and is refused if it has. A move that goes on is
/// finished no more, before anything is added.
#[tokio::test]
async fn a_move_whose_input_has_grown_is_killed_too() {
    for steps in 0..12 {
        for part in [0, 100, 255] {
            let moved = Move::new();
            let input = moved.input(2) + "no item\n";
            moved.run(&input).await.unwrap();
            let longer = input + &moved.input(2) + "no item\n";
            let killed = moved.run_on(MortalDisk::new(steps, part, false), &longer, true).await;
            let report = moved.run(&longer).await.unwrap();
            assert_eq!((report.journal.moved, report.journal.failed), (4, 2), "{steps} {part}");
            assert_eq!((moved.output().len(), moved.failures().len()), (6, 2), "{steps} {part}");
            assert_eq!(report.journal.read_back.good, 4);
            assert!(killed.is_err() || steps > 6, "{steps} {part}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_is_there_twice(
        kinds in vec(kind(), 0..450),
        kills in vec((0_usize..30, any::<u8>(), any::<bool>()), 0..8),
        mishaps in vec(mishap(), 0..40),
        parallel in 1_usize..6,
        compare in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(killed_again_and_again(kinds, kills, mishaps, parallel, compare));
    }
}
