//! From the tree of a file to its document.

use super::node::{self, Kind, Name, Node};
use super::{Document, Position, Unreadable, entry, group};
use crate::rulebook::{Code, Finding, suggest};

/// The contract format that this version writes, and the only one it reads.
const FORMAT: u64 = 1;

/// The fields of a file.
const FIELDS: [&str; 2] = ["version", "tools"];

/// Reads a contract file.
///
/// # Errors
/// If the text is no contract at all: not YAML, past a limit of this module,
/// of another version, or without `tools`.
pub fn read(text: &str) -> Result<Document, Unreadable> {
    let root = node::parse(text)?;
    let fields = match &root.kind {
        Kind::Map(fields) => fields,
        Kind::Null => return Err(empty()),
        other => {
            return Err(Unreadable {
                at: Some(root.at),
                message: format!("a contract must be a map with `tools`, not {}", other.describe()),
                help: SKELETON.to_owned(),
            });
        }
    };
    expect_format(fields)?;
    let tools = tools(fields, root.at)?;
    let mut document = Document { entries: Vec::new(), findings: strangers(fields) };
    for (name, node) in tools {
        add(&mut document, name, node);
    }
    document.findings.sort_by_key(|finding| finding.at);
    Ok(document)
}

/// What the smallest file looks like.
const SKELETON: &str =
    "a contract begins with `version: 1` and lists its tools by name under `tools:`";

fn empty() -> Unreadable {
    Unreadable { at: None, message: "the file is empty".to_owned(), help: SKELETON.to_owned() }
}

/// A file of another format could mean anything by its fields.
fn expect_format(fields: &[(Name, Node)]) -> Result<(), Unreadable> {
    let Some((_, node)) = fields.iter().find(|(name, _)| name.text == "version") else {
        return Ok(());
    };
    if node.kind.count() == Some(FORMAT) {
        return Ok(());
    }
    let message = match node.kind.count() {
        Some(other) => {
            format!("this is a contract of version {other}; only version {FORMAT} is read here")
        }
        None => format!("`version` must be the number {FORMAT}, not {}", node.kind.describe()),
    };
    Err(Unreadable { at: Some(node.at), message, help: format!("write `version: {FORMAT}`") })
}

fn tools(fields: &[(Name, Node)], root: Position) -> Result<&[(Name, Node)], Unreadable> {
    let Some((_, node)) = fields.iter().find(|(name, _)| name.text == "tools") else {
        return Err(without_tools(fields, root));
    };
    match &node.kind {
        Kind::Map(tools) => Ok(tools),
        other => Err(Unreadable {
            at: Some(node.at),
            message: format!("`tools` must be a map of tools by name, not {}", other.describe()),
            help: "where there are no tools yet, write `tools: {}`".to_owned(),
        }),
    }
}

fn without_tools(fields: &[(Name, Node)], root: Position) -> Unreadable {
    let meant = fields.iter().find(|(name, _)| suggest::likely(&name.text, ["tools"]).is_some());
    let message = "the contract has no `tools`".to_owned();
    match meant {
        Some((name, _)) => Unreadable {
            at: Some(name.at),
            message,
            help: format!("did you mean `tools` by `{}`?", name.text),
        },
        None => Unreadable { at: Some(root), message, help: SKELETON.to_owned() },
    }
}

/// The fields of the file that are unknown or repeated.
fn strangers(fields: &[(Name, Node)]) -> Vec<Finding<Position>> {
    let mut findings = Vec::new();
    for (at, (name, _)) in fields.iter().enumerate() {
        let first = fields.iter().take(at).find(|(earlier, _)| earlier.text == name.text);
        if let Some((first, _)) = first {
            let message = format!("`{}` is given twice", name.text);
            let help = format!("the first one stands at {}; keep one", first.at);
            findings.push(Finding::new(Code::MALFORMED_FIELD, name.at, message, help));
        } else if !FIELDS.contains(&name.text.as_str()) {
            let help = suggest::likely(&name.text, FIELDS).map_or_else(
                || format!("the fields of a contract are {}", group::listed(&FIELDS)),
                |meant| format!("did you mean `{meant}`?"),
            );
            let message = format!("there is no field `{}`", name.text);
            findings.push(Finding::new(Code::MALFORMED_FIELD, name.at, message, help));
        }
    }
    findings
}

fn add(document: &mut Document, name: &Name, node: &Node) {
    let Some(first) = document.entry(&name.text) else {
        let (entry, findings) = entry::read(name, node);
        document.findings.extend(findings);
        document.entries.push(entry);
        return;
    };
    let message = format!("there are two tools with the name `{}`", name.text);
    let help = format!("the first one stands at {}; give this one another name", first.draft.at);
    document.findings.push(Finding::new(Code::DUPLICATE_TOOL, name.at, message, help));
}
