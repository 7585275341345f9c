//! Keys: where they come from and whom they reach (TC0014, TC0019, TC0020).

use std::collections::BTreeSet;

use super::declared::Declared;
use super::voice::{Voice, quoted};
use crate::draft::{ArgumentDraft, Located, Surface};
use crate::policy::{ArgumentRole, DedupedBy};
use crate::rulebook::suggest::likely;
use crate::rulebook::{Code, Finding};
use crate::template::Template;

/// TC0014: a key template is well formed and tells operations apart.
pub(super) fn template<At: Clone>(
    voice: Voice<'_>,
    written: &Located<String, At>,
) -> Result<Template, Finding<At>> {
    let unfit = |why: String, help: &str| {
        let message = format!(
            "the key of `{}` cannot be derived from {}: {why}",
            voice.tool,
            quoted(&written.value)
        );
        Finding::new(Code::UNFIT_KEY_TEMPLATE, written.at.clone(), message, help)
    };
    let template = Template::parse(&written.value).map_err(|why| {
        unfit(why.to_string(), "write argument names in braces, as in `{order_id}/charge`")
    })?;
    if template.arguments().next().is_none() {
        let why = "it names no argument, so different intents would have one key".to_owned();
        return Err(unfit(
            why,
            "name the arguments that make two calls the same intent, as in `{order_id}`",
        ));
    }
    Ok(template)
}

/// TC0014: a key template names arguments that are there, hashed and no secret.
pub(super) fn unfit_arguments<At: Clone>(tool: &Declared<'_, At>) -> Vec<Finding<At>> {
    let template = tool.keyed().and_then(|claim| claim.template.given());
    let (Some(template), Some(arguments)) = (template, &tool.draft.arguments) else {
        return Vec::new();
    };
    let names: BTreeSet<&str> = template.value.arguments().collect();
    let unfit = names.into_iter().filter_map(|name| unfit_argument(name, arguments));
    unfit
        .map(|(why, help)| {
            let message = format!("the key of `{}` cannot be derived: {why}", tool.voice.tool);
            Finding::new(Code::UNFIT_KEY_TEMPLATE, template.at.clone(), message, help)
        })
        .collect()
}

/// Why an argument does not belong in a key, and what to do.
fn unfit_argument<At>(name: &str, arguments: &[ArgumentDraft<At>]) -> Option<(String, String)> {
    let Some(argument) = arguments.iter().find(|argument| argument.name.value == name) else {
        let names = arguments.iter().map(|argument| argument.name.value.as_str());
        let help = match likely(name, names) {
            Some(meant) => format!("did you mean `{{{meant}}}`?"),
            None => "name arguments of the function".to_owned(),
        };
        return Some((format!("there is no argument `{name}`"), help));
    };
    let why = match argument.role {
        ArgumentRole::Hashed => return None,
        ArgumentRole::Ignored => "is ignored, so it is no part of the intent",
        ArgumentRole::Secret => "is secret, and a key is stored and logged in clear",
    };
    Some((format!("`{name}` {why}"), format!("leave `{name}` out of the key")))
}

/// TC0019: a key reaches the API that is to dedupe on it.
pub(super) fn not_passed_on<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let by = &tool.keyed()?.by;
    let is_lost = by.given()?.value == DedupedBy::Downstream && tool.draft.takes_cx == Some(false);
    is_lost.then_some(by.key()?).map(|at| {
        let message = format!(
            "`{}` leaves it to the called API to dedupe, but cannot pass the key to it: it takes no `&Cx`",
            tool.voice.tool
        );
        let help = "make `cx: &Cx` the first parameter and send `cx.idempotency_key()` with the request";
        Finding::new(Code::KEY_NOT_PASSED_ON, at.clone(), message, help)
    })
}

/// TC0020: the key on which the ledger dedupes is not optional, and none is
/// required where none is used.
pub(super) fn optional<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let claim = tool.claim().filter(|_| tool.draft.surface == Surface::Contract)?;
    let required = tool.draft.key_required.accepted().ok()?.copied();
    let needs_key =
        claim.claimed && claim.by().ok()? == DedupedBy::Ledger && claim.template.is_absent();
    let (message, help) = if needs_key && required != Some(true) {
        (
            "is idempotent by its key, but a call need not bring one",
            "write `idempotency_key_required: true`, or derive the key: `idempotency: { key: \"{..}\" }`",
        )
    } else if !claim.claimed && required == Some(true) {
        (
            "requires a key, but as it is not idempotent it uses none",
            "write `idempotent: true`, or `idempotency_key_required: false`",
        )
    } else {
        return None;
    };
    let at = tool.draft.key_required.key().cloned().unwrap_or_else(|| tool.absence());
    Some(Finding::new(Code::OPTIONAL_KEY, at, format!("`{}` {message}", tool.voice.tool), help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, Field};
    use crate::rulebook::check::check;
    use crate::rulebook::check::fixture::{
        At, BOTH, absence, arguments, by, found, given, idempotent, keyed, never, word, write,
    };

    const UNFIT: [(Code, At); 1] = [(Code::UNFIT_KEY_TEMPLATE, At::Value("key"))];

    #[test]
    fn tc0014_a_template_is_one_and_names_arguments() {
        for surface in BOTH {
            for wrong in ["", "charge", "{{order_id}}", "{order_id", "{order id}", "{} x"] {
                assert_eq!(
                    found(&Draft { idempotent: keyed(wrong), ..write(surface) }),
                    UNFIT,
                    "{wrong}"
                );
            }
            assert_eq!(
                found(&Draft { idempotent: keyed("{order_id}/charge"), ..write(surface) }),
                []
            );
        }
    }

    #[test]
    fn tc0014_a_template_names_arguments_that_belong_in_a_key() {
        let of = [
            ("order_id", ArgumentRole::Hashed),
            ("memo", ArgumentRole::Ignored),
            ("card", ArgumentRole::Secret),
        ];
        for surface in BOTH {
            let draft = |key| Draft {
                idempotent: keyed(key),
                arguments: Some(arguments(&of)),
                ..write(surface)
            };
            for wrong in ["{order}", "{memo}", "{order_id}/{card}"] {
                assert_eq!(found(&draft(wrong)), UNFIT, "{wrong}");
            }
            assert_eq!(found(&draft("{orderid}/{memo}/{orderid}")), [UNFIT[0], UNFIT[0]]);
            assert_eq!(found(&draft("{order_id}/{order_id}")), []);
            assert_eq!(check(&draft("{ordr_id}")).findings[0].help, "did you mean `{order_id}`?");
        }
    }

    #[test]
    fn a_template_stays_as_it_was_written() {
        let checked =
            check(&Draft { idempotent: keyed("{order_id}"), ..write(Surface::Attribute) });
        let policy = checked.contract.unwrap().policy;
        let template = Some("{order_id}".into());
        assert_eq!(
            policy.idempotency,
            crate::policy::Idempotency::Keyed { by: DedupedBy::Ledger, template }
        );
    }

    #[test]
    fn tc0019_a_key_reaches_the_called_api() {
        for surface in BOTH {
            let draft = |who, takes_cx| Draft { idempotent: by(who), takes_cx, ..write(surface) };
            assert_eq!(
                found(&draft("downstream", Some(false))),
                [(Code::KEY_NOT_PASSED_ON, At::Key("by"))]
            );
            assert_eq!(found(&draft("downstream", Some(true))), []);
            assert_eq!(found(&draft("downstream", None)), []);
            assert_eq!(found(&draft("nature", Some(false))), []);
        }
    }

    #[test]
    fn tc0020_the_ledgers_key_is_required() {
        let draft = |idempotent, key_required| Draft {
            idempotent,
            key_required,
            ..write(Surface::Contract)
        };
        let optional = |at| [(Code::OPTIONAL_KEY, at)];
        let required = |required| given("key_required", required);
        assert_eq!(found(&draft(idempotent(), required(false))), optional(At::Key("key_required")));
        assert_eq!(
            found(&draft(idempotent(), Field::Absent)),
            optional(absence(Surface::Contract))
        );
        assert_eq!(found(&draft(idempotent(), required(true))), []);
        assert_eq!(found(&draft(idempotent(), Field::Refused)), []);
        for key_required in [Field::Absent, required(false), required(true)] {
            for idempotent in [keyed("{order_id}"), by("downstream"), by("nature")] {
                assert_eq!(found(&draft(idempotent, key_required.clone())), []);
            }
        }
    }

    #[test]
    fn tc0020_a_key_that_is_not_used_is_not_required() {
        let draft = |required| Draft {
            idempotent: never(),
            key_required: given("key_required", required),
            ..write(Surface::Contract)
        };
        assert_eq!(found(&draft(true)), [(Code::OPTIONAL_KEY, At::Key("key_required"))]);
        assert_eq!(found(&draft(false)), []);
    }

    #[test]
    fn a_misspelt_by_is_one_mistake() {
        let draft = Draft {
            idempotent: by("downstraem"),
            takes_cx: Some(false),
            ..write(Surface::Attribute)
        };
        assert_eq!(found(&draft), [(Code::MALFORMED_FIELD, At::Value("by"))]);
        let draft = Draft { remint: word("remint", "warn"), ..write(Surface::Attribute) };
        assert_eq!(found(&draft), []);
    }
}
