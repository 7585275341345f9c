//! Functions that others look up (TC0016).

use super::declared::Declared;
use crate::draft::{Field, RollbackDraft};
use crate::rulebook::{Code, Finding};

/// TC0016: a rollback and a reconcile function have a name, wherever they are.
pub(super) fn unnamed<At: Clone>(tool: &Declared<'_, At>) -> Vec<Finding<At>> {
    let mut findings = Vec::new();
    if let Some(rollback) = tool.draft.rollback.given()
        && matches!(&rollback.value, RollbackDraft::Compensate(path) if path.trim().is_empty())
    {
        let form = "rollback: { strategy: compensate, with: path::to::function }";
        findings.push(refused(tool, "rollback", form, &rollback.at));
    }
    if let Field::Given { key, value } = &tool.reconcile {
        let form = "reconcile: { with: path::to::function }";
        match &value.value.with {
            Field::Absent => findings.push(refused(tool, "reconcile", form, key)),
            Field::Given { value: with, .. } if with.value.trim().is_empty() => {
                findings.push(refused(tool, "reconcile", form, &with.at));
            }
            Field::Given { .. } | Field::Refused => {}
        }
    }
    findings
}

fn refused<At: Clone>(tool: &Declared<'_, At>, name: &str, in_file: &str, at: &At) -> Finding<At> {
    let message = format!("`{name}` of `{}` names no function", tool.voice.tool);
    let form = tool.voice.say(format!("{name} = \"path::to::function\""), in_file.to_owned());
    Finding::new(
        Code::UNFIT_FUNCTION,
        at.clone(),
        message,
        format!("write its path, as in `{form}`"),
    )
}

#[cfg(test)]
mod tests {
    use crate::draft::{Draft, Field, RollbackDraft};
    use crate::rulebook::Code;
    use crate::rulebook::check::fixture::{At, BOTH, but, found, given, reconcile, word, write};

    #[test]
    fn tc0016_functions_have_names() {
        for surface in BOTH {
            let unnamed = |at| [(Code::UNFIT_FUNCTION, at)];
            let rollback = given("rollback", RollbackDraft::Compensate(" ".to_owned()));
            assert_eq!(
                found(&Draft { rollback, ..write(surface) }),
                unnamed(At::Value("rollback"))
            );
            let absent = but(reconcile(), |reconcile| reconcile.with = Field::Absent);
            assert_eq!(
                found(&Draft { reconcile: absent, ..write(surface) }),
                unnamed(At::Key("reconcile"))
            );
            let empty = but(reconcile(), |reconcile| reconcile.with = word("with", ""));
            assert_eq!(
                found(&Draft { reconcile: empty, ..write(surface) }),
                unnamed(At::Value("with"))
            );
            assert_eq!(found(&Draft { reconcile: reconcile(), ..write(surface) }), []);
        }
    }
}
