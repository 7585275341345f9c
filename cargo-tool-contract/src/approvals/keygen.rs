//! `approvals keygen`

use std::path::Path;

use serde::Serialize;
use tool_contract_runtime::approval::{Approvers, PrivateKey};

use super::key;
use crate::End;
use crate::args::Keygen;
use crate::operator::{Kind, Problem, text};
use crate::report;

#[derive(Debug, Serialize)]
struct Document<'k> {
    name: &'k str,
    public: &'k str,
    line: &'k str,
    file: &'k Path,
}

pub(super) fn run(args: &Keygen, as_json: bool) -> Result<End, Problem> {
    let usage = |message: String| Problem::new(Kind::Usage, message);
    let name = args.name.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(usage("a name has letters, and no control characters".to_owned()));
    }
    let key = PrivateKey::generate().map_err(|why| usage(why.to_string()))?;
    let public = key.public().to_string();
    let line = format!("{public} {name}");
    // What is printed reads back.
    Approvers::parse(&line).map_err(|why| usage(why.to_string()))?;
    key::write(&args.file, &key)?;
    let document = Document { name, public: &public, line: &line, file: &args.file };
    let said = if as_json { text::safe_json(&report::json(&document)) } else { text::plain(&line) };
    report::say(&said)?;
    if !as_json {
        report::complain(&text::plain(&format!(
            "{} holds the private key: it is {name}'s alone. The line above is for the programs whose calls {name} \
             approves",
            args.file.display()
        )));
    }
    Ok(End::Fine)
}
