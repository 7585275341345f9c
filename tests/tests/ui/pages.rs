//! The examples on the rules' pages, compiled.

use std::collections::BTreeMap;

use serde_json::Value;
use tool_contract::spec::rulebook::{Code, Kind, Level, PRELUDE, RULES, Rule};

use crate::package::Package;

const DEPENDENCIES: &str =
    "tool-contract = { path = \"LIBRARY\" }\nserde = \"1\"\nthiserror = \"2\"";

/// What the compiler says of one example.
#[derive(Debug, Default)]
struct Said {
    errors: Vec<String>,
    warnings: Vec<String>,
}

#[test]
fn wrong_examples_break_their_rule_and_right_ones_break_none() {
    let package = Package::with_manifest("pages", "", DEPENDENCIES);
    let rules: Vec<_> = RULES.iter().filter(|rule| rule.attribute().is_some()).collect();
    for rule in &rules {
        let example = rule.attribute().unwrap();
        for (verdict, text) in [("wrong", example.wrong), ("right", example.right)] {
            let source = format!(
                "#![allow(dead_code, unused_imports)]\n{PRELUDE}\n{text}\nfn main() {{}}\n"
            );
            package.write(&format!("src/bin/{}.rs", name(rule, verdict)), &source);
        }
    }
    let output = package.cargo(&["check", "--bins", "--keep-going", "--message-format=json"], None);
    let said = read(&String::from_utf8_lossy(&output.stdout));
    let nothing = Said::default();
    for rule in rules {
        let of = |verdict| said.get(&name(rule, verdict)).unwrap_or(&nothing);
        let right = of("right");
        assert!(right.errors.is_empty() && right.warnings.is_empty(), "{}: {right:#?}", rule.code);
        assert!(is_as_the_page_says(rule, of("wrong")), "{}: {:#?}", rule.code, of("wrong"));
    }
}

fn name(rule: &Rule, verdict: &str) -> String {
    format!("{}_{verdict}", rule.code).to_lowercase()
}

fn is_as_the_page_says(rule: &Rule, said: &Said) -> bool {
    match (rule.kind, said.errors.as_slice(), said.warnings.as_slice()) {
        (Kind::Policy(Level::Deny), [error], []) => {
            // The type checker has its own words.
            let by_types = [Code::UNFIT_FUNCTION, Code::UNCLASSIFIED_ERROR, Code::UNSTORABLE_TYPE];
            error.contains(&rule.code.to_string()) || by_types.contains(&rule.code)
        }
        (Kind::Policy(Level::Warn), [], [warning]) => warning.contains(&rule.code.to_string()),
        (Kind::Policy(Level::Advise) | Kind::Refusal, [], []) => true,
        _ => false,
    }
}

/// Reads cargo's messages, by the name of the binary that they are about.
fn read(messages: &str) -> BTreeMap<String, Said> {
    let mut said = BTreeMap::<String, Said>::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let (Some(target), Some(text)) =
            (message["target"]["name"].as_str(), message["message"]["rendered"].as_str())
        else {
            continue;
        };
        let said = said.entry(target.to_owned()).or_default();
        match message["message"]["level"].as_str() {
            // The last only says that there were others.
            Some("error") if !text.contains("aborting due to") => said.errors.push(text.to_owned()),
            Some("warning") if !text.contains("warning emitted") => {
                said.warnings.push(text.to_owned())
            }
            _ => {}
        }
    }
    said
}
