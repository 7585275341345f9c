//! Text and numbers as YAML that every reader reads alike.
//!
//! YAML 1.1 readers, still the most common, take `no` for a boolean, `1:30`
//! for a number and `=` for a key of its own. What any of them might misread
//! is quoted.

use std::fmt::Write;

/// Words that some reader takes for something else than text, in lower case.
const TAKEN: [&str; 14] = [
    "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nil", "none", "nan", "inf",
    "infinity",
];

/// Text on one line, anywhere: as it is, or quoted.
pub(super) fn inline(text: &str) -> String {
    if is_plain(text) && !text.contains([',', '[', ']', '{', '}']) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Text as the value of a key in a block, where its further lines may stand
/// below: `indent` is that of the key.
pub(super) fn block(text: &str, indent: usize) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if !is_literal(text) {
        return quoted(text);
    }
    let mut out = "|-".to_owned();
    for line in text.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent + 2));
            out.push_str(line);
        }
    }
    out
}

/// A number as readers of YAML 1.1 know it too: those want a point in a float
/// and a sign in its exponent.
pub(super) fn number(number: &serde_json::Number) -> String {
    let text = number.to_string();
    if !number.is_f64() {
        return text;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, ""));
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    if exponent.is_empty() {
        format!("{mantissa}{point}")
    } else {
        format!("{mantissa}{point}e{sign}{exponent}")
    }
}

/// Whether a text means itself without quotes, on one line of a block.
fn is_plain(text: &str) -> bool {
    let begins_well = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '/' | '$'));
    begins_well
        && text.chars().all(is_visible)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !is_taken(text)
}

fn is_taken(text: &str) -> bool {
    TAKEN.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a text can stand below its key line by line and lose nothing.
fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with(['\n', ' '])
        && !text.ends_with('\n')
        && text.split('\n').all(|line| !line.ends_with(' ') && line.chars().all(is_visible))
}

/// Printable in YAML, and no white space but the space itself.
fn is_visible(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || c.is_whitespace()
            || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

/// Double quotes, as JSON has them, and escapes for all that is not visible.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_visible(c) => out.push(c),
            // Writing into a String cannot fail.
            c => drop(write!(out, "\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_reader_misreads_is_quoted() {
        for text in [
            "",
            "no",
            "Yes",
            "ON",
            "off",
            "y",
            "null",
            "~",
            "True",
            "1",
            "-1",
            "0x1F",
            "1e3",
            "1_000",
            "1:30",
            ".5",
            "2024-01-01",
            "=",
            "<<",
            "-",
            "- a",
            "? a",
            ": a",
            "a: b",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'a",
            "\"a",
            "[a",
            "{a",
            " a",
            "a ",
            "a:",
            "\u{feff}a",
            "a\u{85}b",
            "a\tb",
            "NaN",
            ".inf",
        ] {
            assert!(inline(text).starts_with('"'), "{text:?}");
            assert!(block(text, 0).starts_with('"'), "{text:?}");
        }
    }

    #[test]
    fn what_every_reader_reads_is_not() {
        for text in [
            "refund_card",
            "shop::payments::refund",
            "$schema",
            "Charge the card, once.",
            "https://a.b/c#d",
        ] {
            assert_eq!(block(text, 0), text);
        }
        assert_eq!(inline("a, b"), "\"a, b\"");
    }

    #[test]
    fn several_lines_stand_below_their_key() {
        assert_eq!(block("a\n\n  b", 2), "|-\n    a\n\n      b");
        assert_eq!(block("a\n", 2), "\"a\\n\"");
        assert_eq!(block(" a\nb", 2), "\" a\\nb\"");
    }

    #[test]
    fn floats_have_a_point_and_a_sign() {
        for (value, text) in [(1.0, "1.0"), (1e300, "1.0e+300"), (1.5e-9, "1.5e-9"), (0.1, "0.1")] {
            assert_eq!(
                serde_json::Number::from_f64(value).map(|n| number(&n)).as_deref(),
                Some(text)
            );
        }
        assert_eq!(number(&u64::MAX.into()), "18446744073709551615");
    }
}
