//! Stored texts, printed so that none can drive a terminal; and tables of them.
//!
//! Causes, reasons, results and names come from tools, models and people. A
//! control character among them could clear the screen, forge a line or turn
//! the reading direction around.

use std::fmt::Write as _;

/// The text on one line, with what a terminal would obey written as an escape.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Likewise, but for the ends of lines.
pub(crate) fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// JSON that says the same, with what a terminal would obey as an escape. In
/// JSON such characters stand only within strings, but for the ends of lines.
pub(crate) fn safe_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) && !matches!(c, '\n' | '\t' | '\r') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a terminal, or the layout of text, does something at it.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'          // soft hyphen, marks of direction
            | '\u{200b}'..='\u{200f}'                  // no width, marks of direction
            | '\u{2028}'..='\u{202e}'                  // ends of lines, embeddings, overrides
            | '\u{2060}'..='\u{206f}' | '\u{feff}'     // joiners, isolates
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}') // annotations, tags
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_bare) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Rows under their titles. A column in which nothing stands is left out.
pub(crate) fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |row: &[String], at: usize| row.get(at).map(|text| plain(text)).unwrap_or_default();
    let columns: Vec<Vec<String>> = titles
        .iter()
        .enumerate()
        .filter(|(at, _)| rows.iter().any(|row| !cells(row, *at).is_empty()))
        .map(|(at, title)| {
            let below = rows.iter().map(|row| cells(row, at));
            std::iter::once((*title).to_owned()).chain(below).collect()
        })
        .collect();
    (0..=rows.len()).map(|row| line(&columns, row) + "\n").collect()
}

/// One row of columns that are as wide as their widest cell.
fn line(columns: &[Vec<String>], row: usize) -> String {
    let mut line = String::new();
    for column in columns {
        let width = column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        // Writing into a String cannot fail.
        let _ = write!(line, "{:width$}  ", column.get(row).map_or("", String::as_str));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for (text, shown) in [
            ("plain, ünd \\ \"quoted\"", "plain, ünd \\ \"quoted\""),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("\u{202e}evil\u{2069}", "\\u{202e}evil\\u{2069}"),
        ] {
            assert_eq!(plain(text), shown);
        }
        assert_eq!(plain_lines("a\nb\u{7}"), "a\nb\\u{7}");
    }

    #[test]
    fn json_says_the_same_afterwards() {
        let value = serde_json::json!({ "a": "\u{9b}2J\u{7f}\u{202e}\u{e0001}\u{1b}\n" });
        let json = serde_json::to_string_pretty(&value).unwrap();
        let safe = safe_json(&json);
        assert!(safe.chars().all(|c| c == '\n' || !is_obeyed(c)), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn a_shell_gets_its_word_back() {
        for (word, shown) in [
            ("order-17/charge", "order-17/charge"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(rm)", "'$(rm)'"),
            ("~", "'~'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }

    #[test]
    fn columns_line_up_and_empty_ones_are_left_out() {
        let rows = [
            vec!["a".to_owned(), String::new(), "1".to_owned()],
            vec!["long\n".to_owned(), String::new(), String::new()],
        ];
        assert_eq!(table(&["ONE", "TWO", "THREE"], &rows), "ONE     THREE\na       1\nlong\\n\n");
    }
}
