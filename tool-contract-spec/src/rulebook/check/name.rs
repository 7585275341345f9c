//! What a tool may be called (TC0025).

use super::declared::Declared;
use super::voice::quoted;
use crate::rulebook::{Code, Finding};

/// The longest name that every model provider takes.
const LONGEST: usize = 64;

/// TC0025: a model can be offered the tool.
pub(super) fn unfit<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let name = &tool.draft.name;
    let fits = (1..=LONGEST).contains(&name.value.len()) && name.value.chars().all(may_stand);
    (!fits).then(|| {
        let message = format!(
            "{} cannot be the name of a tool: model providers take 1 to {LONGEST} ASCII letters, \
             digits, `_` and `-`",
            quoted(&name.value)
        );
        let other = other(&name.value);
        let help = tool.voice.say(
            format!("write for instance `name = \"{other}\"`"),
            format!("call it for instance `{other}`, here and in the code"),
        );
        Finding::new(Code::UNFIT_NAME, name.at.clone(), message, help)
    })
}

const fn may_stand(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// A name that fits, and still reads like the one that does not.
fn other(name: &str) -> String {
    if name.is_empty() {
        return "tool_name".to_owned();
    }
    let fitting = |character| if may_stand(character) { character } else { '_' };
    name.chars().take(LONGEST).map(fitting).collect()
}

#[cfg(test)]
mod tests {
    use crate::rulebook::Code;
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{At, BOTH, found, read};

    #[test]
    fn tc0025_providers_take_the_name() {
        for surface in BOTH {
            let named = |name: &str| {
                let mut draft = read(surface);
                name.clone_into(&mut draft.name.value);
                draft
            };
            for name in ["a", "refund_card", "Refund-Card2", "7", &"x".repeat(64)] {
                assert_eq!(found(&named(name)), [], "{name}");
            }
            for name in ["", "orders.find", "orders/find", "größe", "a b", "a\n", &"x".repeat(65)]
            {
                assert_eq!(found(&named(name)), [(Code::UNFIT_NAME, At::Name)], "{name}");
            }
        }
    }

    #[test]
    fn tc0025_names_a_name_that_fits() {
        for surface in BOTH {
            for name in ["", "orders.find", "größe", &"é".repeat(100)] {
                let mut draft = read(surface);
                name.clone_into(&mut draft.name.value);
                let help = check(&draft).findings.remove(0).help;
                draft.name.value = super::other(name);
                assert!(help.contains(&draft.name.value), "{help}");
                assert_eq!(found(&draft), [], "{name}");
            }
        }
    }
}
