//! What is settled for one tool (TC0021).

use super::voice::{Voice, quoted};
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
                let message =
                    format!("`{}` cannot allow {}: {why}", voice.tool, quoted(&word.value));
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

#[cfg(test)]
mod tests {
    use crate::draft::{Draft, Located};
    use crate::policy::ArgumentRole;
    use crate::rulebook::Code;
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{At, BOTH, Sketch, arguments, found, write};

    fn allowing(mut draft: Sketch, codes: &[&str]) -> Sketch {
        draft.allow =
            codes.iter().map(|code| Located::new((*code).to_owned(), At::Key("allow"))).collect();
        draft
    }

    #[test]
    fn what_is_allowed_is_settled() {
        for surface in BOTH {
            let draft = Draft {
                arguments: Some(arguments(&[("nonce", ArgumentRole::Hashed)])),
                ..write(surface)
            };
            assert_eq!(found(&draft), [(Code::VOLATILE_ARGUMENT, At::Item(0))]);
            let checked = check(&allowing(draft, &["TC0105", "tc0101", "TC0105"]));
            assert_eq!(checked.findings, []);
            assert_eq!(checked.contract.unwrap().allow.into_owned(), ["TC0101", "TC0105"]);
        }
    }

    #[test]
    fn tc0021_only_warnings_and_advice_are_allowed() {
        for surface in BOTH {
            for code in ["TC0004", "TC0203", "TC0999", "unused_variables", ""] {
                let draft = allowing(write(surface), &["TC0104", code]);
                assert_eq!(found(&draft), [(Code::MALFORMED_FIELD, At::Key("allow"))], "{code}");
            }
        }
    }
}
