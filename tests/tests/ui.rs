//! What compiles, what does not, and what the compiler says then.
//!
//! The cases stand in `ui/`, one folder per topic. Each under `fail` holds one
//! mistake and has one error, except those in `several`. After a change,
//! `TRYBUILD=overwrite cargo test --test ui` writes what the compiler says
//! now: read it as someone who has to act on it.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::{Path, PathBuf};

// Apart from each other: only cases of which none is run are checked all at
// once, which takes a third of the time.
#[test]
fn what_is_wrong_does_not_compile() {
    trybuild::TestCases::new().compile_fail("ui/*/fail/*.rs");
}

#[test]
fn what_is_right_compiles_and_runs() {
    trybuild::TestCases::new().pass("ui/*/pass/*.rs");
}

#[test]
fn each_mistake_is_one_error() {
    for file in messages() {
        let text = fs::read_to_string(&file).unwrap();
        let errors = text.lines().filter(|line| line.starts_with("error")).count();
        let is_several = file.components().any(|part| part.as_os_str() == "several");
        assert!(
            if is_several { errors > 1 } else { errors == 1 },
            "{errors} errors in {}",
            file.display()
        );
    }
}

/// What the compiler says must not depend on whether the standard library's
/// sources are installed.
#[test]
fn no_message_shows_the_standard_library() {
    for file in messages() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("$RUST"), "{}", file.display());
    }
}

/// Every file of what the compiler says.
fn messages() -> Vec<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let topics = fs::read_dir(ui).unwrap().map(|topic| topic.unwrap().path().join("fail"));
    let files = topics.filter_map(|topic| fs::read_dir(topic).ok()).flatten();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "stderr"));
    files.sort();
    assert!(!files.is_empty());
    files
}
