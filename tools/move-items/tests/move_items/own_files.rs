//! A move writes its own files and no others: nothing is emptied, nothing is followed.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use move_items::stop::Stop;

use crate::fixtures::Move;
use crate::service::Mishap;

const THEIRS: &str = "somebody else's\n";
const SUFFIXES: [&str; 3] = [".failures", "", ".journal"];

impl Move {
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path: OsString = self.output_path().into();
        path.push(suffix);
        path.into()
    }

    /// The names in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Expects the refusal of a file, in words that name it.
    async fn refuses(&self, input: &str, path: &Path) {
        match self.run(input).await {
            Err(Stop::OtherMove(told)) => assert!(told.contains(path.to_str().unwrap()), "{told}"),
            Err(other) => panic!("{}: {other}", path.display()),
            Ok(report) => panic!("{}: {report}", path.display()),
        }
    }
}

#[tokio::test]
async fn a_file_that_no_journal_counts_is_left_as_it_is() {
    for suffix in SUFFIXES {
        let moved = Move::new();
        let path = moved.beside(suffix);
        fs::write(&path, THEIRS).unwrap();
        moved.refuses(&moved.input(3), &path).await;
        assert_eq!(fs::read_to_string(&path).unwrap(), THEIRS, "{suffix}");
        assert_eq!(moved.names().len(), 1, "{suffix}: {:?}", moved.names());
    }
}

/// A file of this name was once the journal's next content.
#[tokio::test]
async fn a_file_that_is_none_of_the_moves_is_not_touched() {
    let moved = Move::new();
    let other = moved.folder.path().join("other");
    fs::write(&other, THEIRS).unwrap();
    fs::write(moved.beside(".journal.new"), THEIRS).unwrap();
    symlink(&other, moved.beside(".failures.new")).unwrap();
    assert!(moved.run(&moved.input(3)).await.unwrap().all_moved());
    assert_eq!(fs::read_to_string(moved.beside(".journal.new")).unwrap(), THEIRS);
    assert_eq!(fs::read_to_string(&other).unwrap(), THEIRS);
    let moved = Move::new();
    symlink(&other, moved.beside(".journal.new")).unwrap();
    assert!(moved.run(&moved.input(3)).await.unwrap().all_moved());
    assert_eq!(fs::read_to_string(&other).unwrap(), THEIRS);
}

#[tokio::test]
async fn no_symbolic_link_is_followed() {
    for suffix in SUFFIXES {
        for text in [Some(THEIRS), Some(""), None] {
            let (moved, elsewhere) = (Move::new(), Move::new());
            let other = elsewhere.folder.path().join("other");
            if let Some(text) = text {
                fs::write(&other, text).unwrap();
            }
            symlink(&other, moved.beside(suffix)).unwrap();
            moved.refuses(&moved.input(3), &moved.beside(suffix)).await;
            assert_eq!(fs::read_to_string(&other).ok().as_deref(), text, "{suffix}");
            assert_eq!(moved.names().len(), 1, "{suffix}: {:?}", moved.names());
        }
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_file_of_the_move_is_not_followed() {
    for suffix in SUFFIXES {
        let moved = Move::new();
        let input = moved.input(3);
        moved.run(&input).await.unwrap();
        let (path, other) = (moved.beside(suffix), moved.folder.path().join("other"));
        fs::rename(&path, &other).unwrap();
        let text = fs::read(&other).unwrap();
        symlink(&other, &path).unwrap();
        moved.refuses(&(input + &moved.line(3)), &path).await;
        assert_eq!(fs::read(&other).unwrap(), text, "{suffix}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    for suffix in SUFFIXES {
        let moved = Move::new();
        fs::create_dir(moved.beside(suffix)).unwrap();
        moved.refuses(&moved.input(3), &moved.beside(suffix)).await;
        let moved = Move::new();
        let made = Command::new("mkfifo").arg(moved.beside(suffix)).status().unwrap();
        assert!(made.success());
        moved.refuses(&moved.input(3), &moved.beside(suffix)).await;
        assert_eq!(moved.names().len(), 1, "{suffix}: {:?}", moved.names());
    }
}

/// What a run leaves that was killed before its first journal. It may also be the user's own, made to hold the name.
#[tokio::test]
async fn an_empty_file_is_taken_if_it_has_no_other_name() {
    for suffix in ["", ".failures"] {
        let moved = Move::new();
        fs::write(moved.beside(suffix), "").unwrap();
        assert!(moved.run(&moved.input(3)).await.unwrap().all_moved());
        let moved = Move::new();
        let other = moved.folder.path().join("other");
        fs::write(&other, "").unwrap();
        fs::hard_link(&other, moved.beside(suffix)).unwrap();
        moved.refuses(&moved.input(3), &moved.beside(suffix)).await;
        assert_eq!(fs::read(&other).unwrap(), b"", "{suffix}");
    }
}

#[tokio::test]
async fn what_somebody_adds_to_a_finished_move_is_not_cut_off() {
    for suffix in ["", ".failures"] {
        let moved = Move::new();
        let input = moved.input(3) + "no item\n";
        moved.run(&input).await.unwrap();
        let path = moved.beside(suffix);
        let written = fs::read_to_string(&path).unwrap();
        // Also lines that look as if this tool had written them.
        for more in [THEIRS, &written] {
            let longer = written.clone() + more;
            fs::write(&path, &longer).unwrap();
            moved.refuses(&input, &path).await;
            moved.refuses(&(input.clone() + &moved.line(3)), &path).await;
            assert_eq!(fs::read_to_string(&path).unwrap(), longer, "{suffix}");
        }
    }
}

#[tokio::test]
async fn failures_that_the_move_did_not_write_are_left_as_they_are() {
    let moved = Move {
        parallel: 1,
        ..Move::new()
    };
    let input = "no item\n".to_owned() + &moved.input(150);
    let refusal = || Some(Mishap::Problem(403, "forbidden", None));
    moved.service.order([None, refusal()]);
    assert!(moved.run(&input).await.is_err(), "the move has begun");
    let path = moved.beside(".failures");
    let counted = fs::read_to_string(&path).unwrap();
    let changed = counted.replace("no", "on");
    for other in [THEIRS.repeat(100), counted.clone() + THEIRS, changed, String::new()] {
        fs::write(&path, &other).unwrap();
        moved.refuses(&input, &path).await;
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
    // A run that was killed leaves whole lines, torn ones, and, after a loss of power, zeros.
    for left in [
        counted.as_str(),
        &counted[..30],
        &counted[..3],
        "{\"line\":7\0\0\0",
        "\0\0",
    ] {
        fs::write(&path, counted.clone() + left).unwrap();
        moved.service.order([refusal()]);
        assert!(matches!(moved.run(&input).await, Err(Stop::Refused(_))), "{left}");
        assert_eq!(fs::read_to_string(&path).unwrap(), counted);
    }
}

#[tokio::test]
async fn a_journal_without_its_files_makes_none() {
    for suffix in ["", ".failures"] {
        let moved = Move::new();
        let input = moved.input(3) + "no item\n";
        moved.run(&input).await.unwrap();
        fs::remove_file(moved.beside(suffix)).unwrap();
        moved.refuses(&input, &moved.beside(suffix)).await;
        assert!(!moved.beside(suffix).exists(), "{suffix}");
    }
}

#[tokio::test]
async fn the_output_and_the_failures_are_two_files() {
    let moved = Move::new();
    moved.run("").await.unwrap();
    fs::remove_file(moved.beside(".failures")).unwrap();
    fs::hard_link(moved.beside(""), moved.beside(".failures")).unwrap();
    assert!(
        matches!(moved.run(&moved.input(3)).await, Err(Stop::Disk { .. })),
        "the lock is taken"
    );
    assert_eq!(moved.output().len(), 0);
}

#[tokio::test]
async fn a_finished_move_leaves_its_three_files() {
    let moved = Move::new();
    moved.run(&moved.input(250)).await.unwrap();
    assert_eq!(
        moved.names(),
        ["output.jsonl", "output.jsonl.failures", "output.jsonl.journal"]
    );
}
