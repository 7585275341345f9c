//! What is settled for one tool (TC0021).

use super::voice::Voice;
use crate::draft::Located;
use crate::rulebook::{Code, Finding, Kind, Level, rule};

/// TC0021: what is allowed is a warning or an advice.
pub(super) fn codes<At: Clone>(
    voice: Voice<'_>,
    written: &[Located<String, At>],
    findings: &mut Vec<Finding<At>>,
) -> Vec<Code> {
    let mut codes = Vec::new();
    for word in written {
        match code(&word.value) {
            Ok(code) => codes.push(code),
            Err(why) => {
                let message = format!("`{}` cannot allow `{}`: {why}", voice.tool, word.value);
                let help = "allow only warnings and advice, TC0101 to TC0107";
                findings.push(Finding::new(Code::MALFORMED_FIELD, word.at.clone(), message, help));
            }
        }
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn code(word: &str) -> Result<Code, &'static str> {
    let code = word.parse().map_err(|_| "it is no rule code")?;
    match rule(code).map(|rule| rule.kind) {
        Some(Kind::Policy(Level::Warn | Level::Advise)) => Ok(code),
        Some(Kind::Policy(Level::Deny)) => Err("that rule has no exceptions"),
        Some(Kind::Refusal) => Err("that is no rule for declarations"),
        None => Err("there is no such rule"),
    }
}
