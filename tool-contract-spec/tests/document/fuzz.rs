//! Whatever comes, the reader answers.

use proptest::prelude::*;
use tool_contract_spec::document::{Position, Unreadable, read};

use crate::samples::{FULL, HANDBOOK};

/// Reads `text`, and demands that every place in the answer is one of it.
fn answered(text: &str) -> Result<(), TestCaseError> {
    match read(text) {
        Err(Unreadable { at, message, .. }) => {
            prop_assert!(!message.is_empty());
            at.map_or(Ok(()), |at| within(text, at))
        }
        Ok(document) => {
            prop_assert!(document.findings.is_sorted_by_key(|finding| finding.at));
            document.findings.iter().try_for_each(|finding| {
                prop_assert!(!finding.message.is_empty());
                within(text, finding.at)
            })
        }
    }
}

/// A place of a text, or just behind its end.
fn within(text: &str, at: Position) -> Result<(), TestCaseError> {
    let lines = text.split(['\n', '\r']).count();
    prop_assert!(at.line >= 1 && at.column >= 1 && at.line <= lines + 1, "{at} of {lines} lines");
    Ok(())
}

/// `text` with a few characters taken out, put in or changed.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[:{}\\[\\],&*!|>'\"%@`#?~\n\t -]",
        proptest::sample::select(vec![
            "no", "&a ", "*a", "!!int ", "<<", "null", "1e999", "0755", "  ", "\r\n", "---\n"
        ])
        .prop_map(str::to_owned),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, piece), 1..6);
    edits.prop_map(move |edits| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, gone, piece) in edits {
            let at = at.index(chars.len() + 1);
            let end = (at + gone).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        answered(&text)?;
    }

    #[test]
    fn any_text_that_resembles_yaml_is_answered(text in "([a-z]{0,3}|[:{}\\[\\],&*!|>'\"%@#? -]|\n {0,4}){0,60}") {
        answered(&text)?;
    }

    #[test]
    fn a_damaged_contract_is_answered(text in mutated(FULL)) {
        answered(&text)?;
    }

    #[test]
    fn a_damaged_handbook_is_answered(text in mutated(HANDBOOK)) {
        answered(&text)?;
    }

    #[test]
    fn any_values_are_answered(
        mode in "[a-z]{0,12}|null|[0-9]{1,4}",
        number in prop_oneof![any::<u64>().prop_map(|n| n.to_string()), any::<i64>().prop_map(|n| n.to_string()), any::<f64>().prop_map(|n| n.to_string()), "[0-9]{1,40}"],
        span in "[0-9]{0,25}[a-z]{0,2}",
    ) {
        answered(&format!(
            "tools:\n  t:\n    mode: {mode}\n    version: {number}\n    timeout: {span}\n    \
             retry: {{ max_attempts: {number}, max_total: {number}, base: {span}, retry_on: [{mode}] }}\n    \
             rate_limit: {{ per_tool_per_day: {number}, per_workflow: {number} }}\n    \
             idempotency: {{ key: \"{{{mode}}}\", ttl: {span} }}\n"
        ))?;
    }
}
