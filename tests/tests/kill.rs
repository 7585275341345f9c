//! A process is killed before, during and after its effect, and around its
//! settlement; a second one resumes on the same file.
//!
//! Effects are counted outside both, in a file that is synced for each.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// More than any lease, timeout and settle time together: what a second
/// process waits for by a clock that is that far ahead.
const LATER: &str = "3600";

/// A folder of its own for each case, gone at the end.
struct Case {
    folder: PathBuf,
    tool: &'static str,
}

impl Case {
    fn new(tool: &'static str) -> Self {
        static CASES: AtomicU32 = AtomicU32::new(0);
        let case = CASES.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("tool-contract-kill-{}-{case}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, tool }
    }

    fn start(&self, point: &str, ahead: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_kill_worker"))
            .args([self.folder.to_str().unwrap(), self.tool, point, ahead])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts a process and kills it (SIGKILL) once it stands at `point`.
    fn kill_at(&self, point: &str, ahead: &str) {
        let mut child = self.start(point, ahead);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(line, format!("at {point}\n"), "{}", self.tool);
    }

    /// Starts a process and waits for how its call ends.
    fn run(&self, ahead: &str) -> String {
        let mut child = self.start("-", ahead);
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success(), "{}: {said}", self.tool);
        said.trim().to_owned()
    }

    /// How often the effect was begun.
    fn effects(&self) -> usize {
        let effects = std::fs::read_to_string(self.folder.join("effects")).unwrap_or_default();
        effects.lines().filter(|line| line.starts_with("begin")).count()
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Kills a call of `tool` at each point, and checks what a second process says
/// and how often the effect was begun in all.
fn check(tool: &'static str, expected: &[(&str, &str, usize)]) {
    for (point, said, effects) in expected {
        let case = Case::new(tool);
        case.kill_at(point, "0");
        assert_eq!(case.run(LATER), *said, "{tool} killed {point}");
        assert_eq!(case.effects(), *effects, "{tool} killed {point}");
        // Asking once more changes nothing.
        let again = said.replace("ran", "replayed");
        assert_eq!(case.run(LATER), again, "{tool} killed {point}, asked again");
        assert_eq!(case.effects(), *effects, "{tool} killed {point}, asked again");
    }
}

#[test]
fn a_tool_that_nobody_can_ask_about_is_reported_unknown_and_never_runs_again() {
    check(
        "silent",
        &[
            ("before-claim", "ran 17", 1),
            ("after-claim", "unknown true", 0),
            ("before-effect", "unknown true", 0),
            ("during-effect", "unknown true", 1),
            ("after-effect", "unknown true", 1),
            ("before-settlement", "unknown true", 1),
            ("after-settlement", "replayed 17", 1),
        ],
    );
}

#[test]
fn a_tool_that_can_be_asked_about_is_reconciled() {
    check(
        "askable",
        &[
            ("before-claim", "ran 17", 1),
            ("after-claim", "ran 17", 1),
            ("before-effect", "ran 17", 1),
            ("during-effect", "replayed 17", 1),
            ("after-effect", "replayed 17", 1),
            ("before-settlement", "replayed 17", 1),
            ("after-settlement", "replayed 17", 1),
        ],
    );
}

#[test]
fn a_tool_that_is_deduped_downstream_runs_again_with_the_same_key() {
    check(
        "deduped",
        &[
            ("before-claim", "ran 17", 1),
            ("after-claim", "ran 17", 1),
            ("before-effect", "ran 17", 1),
            ("during-effect", "ran 17", 1),
            ("after-effect", "ran 17", 1),
            ("before-settlement", "ran 17", 1),
            ("after-settlement", "replayed 17", 1),
        ],
    );
}

#[test]
fn a_reconciler_that_is_killed_is_followed_by_another() {
    for point in ["during-reconcile", "before-report", "after-report"] {
        let case = Case::new("askable");
        case.kill_at("after-effect", "0");
        case.kill_at(point, LATER);
        assert_eq!(case.run("7200"), "replayed 17", "{point}");
        assert_eq!(case.effects(), 1, "{point}");
    }
}

#[test]
fn two_processes_cannot_reconcile_one_operation_at_once() {
    let case = Case::new("askable");
    case.kill_at("after-effect", "0");
    let mut first = case.start("during-reconcile", LATER);
    let mut line = String::new();
    BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "at during-reconcile\n");

    let second = case.run(LATER);
    assert!(second.contains("TC0205") && second.contains("being found out"), "{second}");

    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(case.run("7200"), "replayed 17");
    assert_eq!(case.effects(), 1);
}

/// Without a ledger the same kill makes a second effect: the counter counts.
#[test]
fn the_counter_finds_duplicates_where_there_is_no_ledger() {
    let case = Case::new("silent");
    case.kill_at("after-effect", "0");
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        std::fs::remove_file(case.folder.join(file)).ok();
    }
    assert_eq!(case.run("0"), "ran 17");
    assert_eq!(case.effects(), 2);
}
