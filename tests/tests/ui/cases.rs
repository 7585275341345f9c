//! What compiles, what does not, and what the compiler says then.
//!
//! The cases stand in `tests/ui`, one folder per topic. Each under `fail` holds
//! one mistake and has one error, except those in `several`. After a change,
//! `TRYBUILD=overwrite cargo test --test ui` writes what the compiler says
//! now: read it as someone who has to act on it.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::package::{Package, said};

const DEPENDENCIES: &str = "tool-contract = { path = \"LIBRARY\" }\n\
                            tool-contract-tests = { path = \"LIBRARY/../tests\" }\n\
                            serde = { version = \"1\", features = [\"derive\"] }\nschemars = \"1\"\nthiserror = \"2\"";

// Apart from what compiles: only cases of which none is run are checked all at
// once, which takes a third of the time.
#[test]
fn what_is_wrong_does_not_compile() {
    trybuild::TestCases::new().compile_fail("ui/*/fail/*.rs");
}

/// Cases that assert something are run; linking the others would take longer
/// than all the rest.
#[test]
fn what_is_right_compiles() {
    let (run, checked): (Vec<_>, Vec<_>) = files("pass", "rs")
        .into_iter()
        .partition(|file| fs::read_to_string(file).unwrap().contains("assert"));
    let package = Package::with_manifest("right", "", DEPENDENCIES);
    for file in checked {
        // As `attribute/pass/retry.rs`: the topic, and what it is about.
        let [name, _, topic] = file.iter().rev().take(3).collect::<Vec<_>>()[..] else {
            panic!("{} is nowhere", file.display());
        };
        let (topic, name) = (topic.display(), name.display());
        package.write(&format!("src/bin/{topic}_{name}"), &fs::read_to_string(&file).unwrap());
    }
    let output = package.cargo(&["check", "--bins", "--keep-going"], None);
    assert!(output.status.success(), "{}", said(&output));

    let cases = trybuild::TestCases::new();
    run.into_iter().for_each(|file| cases.pass(file));
}

#[test]
fn each_mistake_is_one_error() {
    for file in files("fail", "stderr") {
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
    for file in files("fail", "stderr") {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("$RUST"), "{}", file.display());
    }
}

/// The files of every topic that stand in `folder`.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let topics = fs::read_dir(ui).unwrap().map(|topic| topic.unwrap().path().join(folder));
    let files = topics.filter_map(|topic| fs::read_dir(topic).ok()).flatten();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty());
    files
}
