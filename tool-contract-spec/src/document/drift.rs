//! A whole file against all tools of a crate.

use super::{
    Document, Emitted, Position, compare, compare_schemas, disagreement, only_in_code, only_in_file,
};
use crate::rulebook::{Code, Finding};

/// Everything in which a file and the code differ (TC0018), and two tools of
/// the code with one name (TC0017), in the order of the file.
///
/// What breaks a rule in the file itself is not repeated here; see
/// [`Document::findings`].
#[must_use]
pub fn drift(code: &[Emitted], file: &Document) -> Vec<Finding<Position>> {
    let mut findings = Vec::new();
    for (index, tool) in code.iter().enumerate() {
        let name = &*tool.contract.name;
        let Some(entry) = file.entry(name) else {
            findings.push(only_in_code(name, Position::START));
            continue;
        };
        if let Some(first) = code[..index].iter().find(|other| other.contract.name == name) {
            findings.push(two_of_one_name(
                name,
                [&first.contract.path, &tool.contract.path],
                entry.draft.at,
            ));
            continue;
        }
        let differences =
            compare(&tool.contract, entry).into_iter().chain(compare_schemas(tool, entry));
        findings.extend(differences.map(|difference| {
            let at = entry.place_of(difference.field);
            disagreement(name, &difference, at)
        }));
    }
    let gone = file
        .entries
        .iter()
        .filter(|entry| code.iter().all(|tool| tool.contract.name != entry.name()));
    findings.extend(gone.map(|entry| only_in_file(entry.name(), entry.draft.at)));
    findings.sort_by_key(|finding| finding.at);
    findings
}

fn two_of_one_name(name: &str, paths: [&str; 2], at: Position) -> Finding<Position> {
    let message = format!("two tools are called `{name}`: `{}` and `{}`", paths[0], paths[1]);
    Finding::new(Code::DUPLICATE_TOOL, at, message, "give one of them another `name = \"..\"`")
}
