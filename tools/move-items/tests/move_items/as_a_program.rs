//! The tool as a process: streams as its input, and its exit statuses.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use move_items::ledger::{failures_path, journal_path};

use crate::fixtures::Move;
use crate::requests::serve;
use crate::service::NEW;

fn command(moved: &Move, input: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_move-items"));
    command
        .env_clear()
        .env("LATCHKEY_API_URL", serve(&moved.service))
        .env("LATCHKEY_TOKEN", "given")
        .args(["--to-vault-id", NEW, "--output"])
        .arg(moved.output_path())
        .arg("--input")
        .arg(input)
        .stdin(Stdio::null());
    command
}

/// Runs the command with a pipe as its standard input.
fn piped(command: &mut Command, text: &str) -> Output {
    let (reader, mut writer) = io::pipe().unwrap();
    command.stdin(reader);
    let text = text.to_owned();
    // The tool may end before it has read everything.
    thread::spawn(move || drop(writer.write_all(text.as_bytes())));
    command.output().unwrap()
}

/// Makes a named pipe with one writer, which writes `text` once.
fn named_pipe(path: &Path, text: &str) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let (path, text) = (path.to_owned(), text.to_owned());
    thread::spawn(move || {
        let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
        drop(pipe.write_all(text.as_bytes()));
    });
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_stream_is_read_once() {
    for name in ["/dev/stdin", "/dev/fd/0", "a named pipe", "-"] {
        let moved = Move::new();
        let input = moved.input(250);
        let output = if name.starts_with('a') {
            let pipe = moved.folder.path().join("pipe");
            named_pipe(&pipe, &input);
            command(&moved, &pipe).output().unwrap()
        } else {
            piped(&mut command(&moved, name), &input)
        };
        let (status, out, err) = said(&output);
        assert_eq!(status, Some(0), "{name}: {out}{err}");
        assert!(
            out.contains("250 of 250 items are in") && out.contains("\nSAFE TO RETIRE"),
            "{name}: {out}"
        );
        assert_eq!(moved.output().len(), 250, "{name}");
        let mut again = command(&moved, "/dev/stdin");
        assert_eq!(
            said(&piped(&mut again, &input)).0,
            Some(0),
            "{name}: the same stream again"
        );
        assert_eq!(said(&piped(&mut again, "")).0, Some(3), "{name}: another stream");
    }
}

#[test]
fn standard_input_is_read_from_where_it_is() {
    let moved = Move::new();
    let path = moved.folder.path().join("items.jsonl");
    let heading = "a heading that somebody else has read\n";
    fs::write(&path, heading.to_owned() + &moved.input(3)).unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(SeekFrom::Start(heading.len() as u64)).unwrap();
    let (status, out, err) = said(&command(&moved, "-").stdin(file).output().unwrap());
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(out.contains("3 of 3 items are in"), "{out}");
}

#[test]
fn a_stream_cannot_be_compared() {
    for name in ["-", "/dev/stdin"] {
        let moved = Move::new();
        let (status, out, err) = said(&piped(command(&moved, name).arg("--compare"), &moved.input(3)));
        assert_eq!(status, Some(2), "{name}: {out}{err}");
        assert!(err.contains("name a file"), "{name}: {err}");
        assert!(!moved.output_path().exists(), "{name}");
    }
}

#[test]
fn a_folder_is_no_input() {
    let moved = Move::new();
    let (status, _, err) = said(&command(&moved, moved.folder.path()).output().unwrap());
    assert!(status == Some(2) && err.contains("is a folder"), "{err}");
    assert!(!moved.output_path().exists());
}

#[test]
fn no_items_are_no_reason_to_retire_a_key() {
    for (name, text, found) in [
        ("items.jsonl", "", "it is empty"),
        ("items.jsonl", "\n \n\n", "3 blank lines"),
        ("/dev/null", "", "it is empty"),
        ("-", "", "it is empty"),
        ("/dev/stdin", "\n", "1 blank line"),
    ] {
        let moved = Move::new();
        let mut command = command(&moved, moved.folder.path().join(name));
        if name == "items.jsonl" {
            fs::write(moved.folder.path().join(name), text).unwrap();
        } else if name == "-" {
            command = self::command(&moved, name);
        }
        // The second time, there is a journal of the first.
        for _ in 0..2 {
            let (status, out, err) = said(&piped(&mut command, text));
            assert_eq!(status, Some(4), "{name}: {out}{err}");
            assert!(out.contains("NO ITEMS") && out.contains(found), "{name}: {out}");
            assert!(!out.contains("SAFE TO RETIRE"), "{name}: {out}");
        }
    }
}

#[test]
fn what_did_not_move_has_a_status_of_its_own() {
    let moved = Move::new();
    let (status, out, _) = said(&piped(&mut command(&moved, "-"), "no item\n"));
    assert_eq!(status, Some(1));
    assert!(out.contains("NOT SAFE TO RETIRE"), "{out}");
}

/// Under whatever name it is given.
#[test]
fn the_input_is_none_of_the_files_that_are_written() {
    for own in [".failures", "", ".journal"] {
        let moved = Move::new();
        let mut path = moved.output_path().into_os_string();
        path.push(own);
        let text = moved.input(2);
        fs::write(&path, &text).unwrap();
        let (linked, named) = (moved.folder.path().join("linked"), moved.folder.path().join("named"));
        fs::hard_link(&path, &linked).unwrap();
        symlink(&path, &named).unwrap();
        let dotted = moved
            .folder
            .path()
            .join(".")
            .join(Path::new(&path).file_name().unwrap());
        for input in [
            path.as_os_str(),
            linked.as_os_str(),
            named.as_os_str(),
            dotted.as_os_str(),
        ] {
            let (status, out, err) = said(&command(&moved, input).output().unwrap());
            assert_eq!(status, Some(2), "{input:?}: {out}{err}");
            assert!(
                err.contains(Path::new(&path).to_str().unwrap()) && err.contains("the input"),
                "{err}"
            );
        }
        for input in ["-", "/dev/stdin"] {
            let mut command = command(&moved, input);
            let (status, out, err) = said(&command.stdin(File::open(&path).unwrap()).output().unwrap());
            assert_eq!(status, Some(2), "{input}: {out}{err}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let made = fs::read_dir(moved.folder.path()).unwrap().count();
        assert_eq!(made, 3, "nothing is made");
    }
}

#[test]
fn neither_the_token_nor_what_is_said_goes_to_a_file_of_the_move() {
    let moved = Move::new();
    let input = moved.folder.path().join("items.jsonl");
    fs::write(&input, moved.input(2)).unwrap();
    let (failures, journal) = (failures_path(&moved.output_path()), journal_path(&moved.output_path()));
    fs::write(&failures, "token").unwrap();
    let (status, _, err) = said(
        &command(&moved, &input)
            .arg("--token-file")
            .arg(&failures)
            .output()
            .unwrap(),
    );
    assert!(status == Some(2) && err.contains("the token file"), "{err}");
    assert_eq!(fs::read_to_string(&failures).unwrap(), "token");
    for path in [moved.output_path(), failures, journal] {
        let file = || File::create(&path).unwrap();
        let (status, _, err) = said(&command(&moved, &input).stdout(file()).output().unwrap());
        assert!(status == Some(2) && err.contains("standard output"), "{err}");
        let output = command(&moved, &input).stderr(file()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        fs::remove_file(&path).unwrap();
    }
}
