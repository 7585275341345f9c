//! How findings look: as rustc shows errors, or as JSON.

use std::io::{ErrorKind, IsTerminal, Write as _, stdout};
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, Title};
use serde::Serialize;
use tool_contract_spec::document::{Position, Unreadable};
use tool_contract_spec::rulebook::{self, Finding};

use crate::{End, Stop, called};

/// The findings of one contract file.
pub(crate) struct Report<'r> {
    pub(crate) path: &'r Path,
    pub(crate) text: &'r str,
    pub(crate) tools: usize,
    pub(crate) findings: &'r [Finding<Position>],
}

impl Report<'_> {
    /// Prints the report; answers whether what it shows fails the check.
    pub(crate) fn print(&self, json: bool, strict: bool) -> Result<End, Stop> {
        say(&if json { self.json() } else { self.human() })?;
        let fails =
            if strict { !self.findings.is_empty() } else { self.count(rulebook::Level::Deny) > 0 };
        Ok(if fails { End::Broken } else { End::Fine })
    }

    fn count(&self, level: rulebook::Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    fn human(&self) -> String {
        let renderer = renderer(stdout().is_terminal());
        let mut out = String::new();
        for finding in self.findings {
            let (level, id) = (level(finding.level), finding.code.to_string());
            let title = level.primary_title(&finding.message).id(id);
            let group = shown(title, self.text, self.path, finding.at);
            out.push_str(&renderer.render(&[with_help(group, &finding.help)]));
            out.push_str("\n\n");
        }
        out.push_str(&self.summary());
        out
    }

    fn summary(&self) -> String {
        let tools = counted(self.tools, "tool", "tools");
        let path = self.path.display();
        let kinds = [
            (rulebook::Level::Deny, "error", "errors"),
            (rulebook::Level::Warn, "warning", "warnings"),
            (rulebook::Level::Advise, "piece of advice", "pieces of advice"),
        ];
        let counts: Vec<String> = kinds
            .into_iter()
            .map(|(level, one, many)| (self.count(level), one, many))
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| counted(count, one, many))
            .collect();
        if counts.is_empty() {
            return format!("{path}: {tools}, no findings");
        }
        let gravest = self.findings.iter().rev().max_by_key(|finding| finding.level);
        let more = gravest.map_or_else(String::new, |finding| {
            format!("; `{} explain {}` says more", called(), finding.code)
        });
        format!("{path}: {tools}, {}{more}", counts.join(", "))
    }

    fn json(&self) -> String {
        let findings = self.findings.iter().map(|finding| JsonFinding {
            code: finding.code.to_string(),
            level: word(finding.level),
            line: finding.at.line,
            column: finding.at.column,
            message: &finding.message,
            help: &finding.help,
        });
        let report = JsonReport {
            file: self.path.display().to_string(),
            tools: self.tools,
            deny: self.count(rulebook::Level::Deny),
            warn: self.count(rulebook::Level::Warn),
            advise: self.count(rulebook::Level::Advise),
            findings: findings.collect(),
        };
        json(&report)
    }
}

#[derive(Serialize)]
struct JsonReport<'r> {
    file: String,
    tools: usize,
    deny: usize,
    warn: usize,
    advise: usize,
    findings: Vec<JsonFinding<'r>>,
}

#[derive(Serialize)]
struct JsonFinding<'r> {
    code: String,
    level: &'static str,
    line: usize,
    column: usize,
    message: &'r str,
    help: &'r str,
}

#[derive(Serialize)]
struct JsonUnreadable<'r> {
    file: String,
    unreadable: JsonError<'r>,
}

#[derive(Serialize)]
struct JsonError<'r> {
    line: Option<usize>,
    column: Option<usize>,
    message: &'r str,
    help: &'r str,
}

/// Prints as JSON that a file is no contract.
pub(crate) fn print_unreadable(unreadable: &Unreadable, path: &Path) -> Result<(), Stop> {
    let error = JsonError {
        line: unreadable.at.map(|at| at.line),
        column: unreadable.at.map(|at| at.column),
        message: &unreadable.message,
        help: &unreadable.help,
    };
    say(&json(&JsonUnreadable { file: path.display().to_string(), unreadable: error }))
}

/// A value as JSON, for people too.
pub(crate) fn json(value: &impl Serialize) -> String {
    // Text and numbers are always JSON.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Prints to standard output. A reader that went away, as `head` does, has seen
/// enough; nobody has seen what could not be written for another reason.
pub(crate) fn say(text: &str) -> Result<(), Stop> {
    let mut out = stdout();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("error: cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints to standard error. Where that cannot be written, the exit code speaks.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// A file that is no contract, as an error to stop with.
pub(crate) fn unreadable(unreadable: &Unreadable, text: &str, path: &Path) -> Stop {
    let renderer = renderer(std::io::stderr().is_terminal());
    let title = Level::ERROR.primary_title(&unreadable.message);
    let group = if let Some(at) = unreadable.at {
        shown(title, text, path, at)
    } else {
        title.element(Origin::path(path.display().to_string()))
    };
    renderer.render(&[with_help(group, &unreadable.help)])
}

fn renderer(terminal: bool) -> Renderer {
    let colours = terminal && std::env::var_os("NO_COLOR").is_none();
    if colours { Renderer::styled() } else { Renderer::plain() }
}

const fn level(level: rulebook::Level) -> Level<'static> {
    match level {
        rulebook::Level::Deny => Level::ERROR,
        rulebook::Level::Warn => Level::WARNING,
        rulebook::Level::Advise => Level::NOTE,
    }
}

const fn word(level: rulebook::Level) -> &'static str {
    match level {
        rulebook::Level::Deny => "deny",
        rulebook::Level::Warn => "warn",
        rulebook::Level::Advise => "advise",
    }
}

/// The line of a place, with what stands there underlined.
fn shown<'r>(title: Title<'r>, text: &'r str, path: &Path, at: Position) -> Group<'r> {
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let line = line.trim_start_matches('\u{feff}');
    let snippet = Snippet::source(line)
        .line_start(at.line)
        .path(path.display().to_string())
        .annotation(AnnotationKind::Primary.span(token(line, at.column)));
    title.element(snippet)
}

fn with_help<'r>(group: Group<'r>, help: &'r str) -> Group<'r> {
    if help.is_empty() { group } else { group.element(Level::HELP.message(help)) }
}

/// The bytes of the word at a column of a line.
fn token(line: &str, column: usize) -> Range<usize> {
    let start = line.char_indices().nth(column - 1).map_or(line.len(), |(start, _)| start);
    let rest = &line[start..];
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        Some('[' | '{') => 1,
        _ => rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}'))
            .unwrap_or(rest.len()),
    };
    let word = &rest[..length];
    start..start + word.strip_suffix(':').unwrap_or(word).len()
}

/// A number and what is counted.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_underlined_as_it_was_written() {
        for (line, column, word) in [
            ("    mode: write", 5, "mode"),
            ("    mode: write", 11, "write"),
            ("  a: { b: 1, c: [d, \"e f\"] }", 14, "c"),
            ("  a: { b: 1, c: [d, \"e f\"] }", 17, "["),
            ("  a: { b: 1, c: [d, \"e f\"] }", 18, "d"),
            ("  a: { b: 1, c: [d, \"e f\"] }", 21, "\"e f\""),
            ("ä: ö", 4, "ö"),
            ("short", 20, ""),
        ] {
            assert_eq!(&line[token(line, column)], word, "{line} {column}");
        }
    }
}
