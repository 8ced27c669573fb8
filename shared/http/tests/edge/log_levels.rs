//! Which lines the log takes, by `RUST_LOG`.

use std::env;
use std::process::Command;

use latchkey_http::init;
use serde_json::Value;

const IS_THE_PROCESS: &str = "LATCHKEY_TEST_IS_THE_PROCESS_THAT_LOGS";

/// The test below runs this in a process of its own, because a process has only one log.
#[test]
fn process_that_logs() {
    if env::var_os(IS_THE_PROCESS).is_none() {
        return;
    }
    init();
    tracing::error!("error");
    tracing::warn!("warn");
    tracing::info!("info");
    tracing::debug!("debug");
    tracing::trace!("trace");
    tracing::info!(target: "other", "info of another");
    tracing::debug!(target: "other", "debug of another");
}

#[test]
fn the_log_takes_what_is_asked_for_and_nothing_below_info() {
    let all = ["error", "warn", "info", "info of another"].as_slice();
    for (rust_log, expected) in [
        (None, ["error", "warn"].as_slice()),
        (Some(""), &["error", "warn"]),
        (Some("error"), &["error"]),
        (Some("info"), all),
        (Some("trace"), all),
        (Some("other=trace"), &["error", "warn", "info of another"]),
        (Some("info,edge=off"), &["info of another"]),
        (Some("info,edge=loud"), &["error", "warn"]),
        (Some("[{"), &["error", "warn"]),
    ] {
        assert_eq!(logged(rust_log), expected, "{rust_log:?}");
    }
}

/// The messages that are logged, in order.
fn logged(rust_log: Option<&str>) -> Vec<String> {
    let mut process = Command::new(env::current_exe().expect("the path of this test"));
    process
        .args(["--exact", "log_levels::process_that_logs", "--nocapture"])
        .env(IS_THE_PROCESS, "yes")
        .env_remove("RUST_LOG");
    if let Some(rust_log) = rust_log {
        process.env("RUST_LOG", rust_log);
    }
    let ran = process.output().expect("the test in its own process");
    assert!(ran.status.success());
    // The test's own name may be at the beginning of the first line.
    String::from_utf8_lossy(&ran.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok())
        .map(|line| line["message"].as_str().expect("a message").to_owned())
        .collect()
}
