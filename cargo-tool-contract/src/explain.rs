//! `explain`: the page of a rule.

use std::fmt::Write as _;

use tool_contract_spec::rulebook::{self, Kind, Level, RULES};

use crate::args::Explain;
use crate::report::say;
use crate::{End, Stop, called};

pub(crate) fn run(args: &Explain) -> Result<End, Stop> {
    let Some(code) = args.code else {
        say(&list())?;
        return Ok(End::Fine);
    };
    match rulebook::explain(code) {
        Some(page) => {
            say(&page)?;
            Ok(End::Fine)
        }
        None => Err(format!("error: there is no rule {code}; `{} explain` lists them", called())),
    }
}

/// Every rule on a line of its own.
fn list() -> String {
    let mut list = String::new();
    for rule in RULES {
        let kind = match rule.kind {
            Kind::Policy(Level::Deny) => "deny",
            Kind::Policy(Level::Warn) => "warn",
            Kind::Policy(Level::Advise) => "advise",
            Kind::Refusal => "refusal",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(list, "{} {kind:7} {}", rule.code, rule.title);
    }
    list
}
