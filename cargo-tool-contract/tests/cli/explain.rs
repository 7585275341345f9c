//! `explain`

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{finish, run};

#[test]
fn a_rule_has_a_page() {
    let said = run(&["explain", "TC0004"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("TC0004"), "{}", said.out);
    assert_eq!(run(&["explain", "tc4"]), said);
}

#[test]
fn the_rules_are_listed() {
    let said = run(&["explain"]);
    assert_eq!(said.code, 0);
    for line in ["TC0001 deny ", "TC0101 advise ", "TC0104 warn ", "TC0201 refusal "] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
}

#[test]
fn a_code_without_a_rule_ends_with_2() {
    let said = run(&["explain", "TC0999"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("there is no rule TC0999"), "{}", said.err);
}

#[test]
fn cargo_finds_it_as_its_subcommand() {
    let ours = Path::new(env!("CARGO_BIN_EXE_cargo-tool-contract")).parent().expect("a directory");
    let path: Vec<PathBuf> = [ours.to_owned()]
        .into_iter()
        .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default()))
        .collect();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["tool-contract", "explain", "TC0004"])
        .env("PATH", env::join_paths(path).expect("a path"));
    assert_eq!(finish(&mut cargo), run(&["explain", "TC0004"]));
}
