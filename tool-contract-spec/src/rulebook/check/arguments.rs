//! What the model and the operation hash see of a tool (TC0104 to TC0107).

use super::declared::Declared;
use crate::draft::ArgumentDraft;
use crate::policy::ArgumentRole;
use crate::rulebook::{Code, Finding};

/// Names of arguments that differ from one attempt to the next.
///
/// `date`, `time`, `message_id` and most names in `_at` are not here: a booking
/// has a date, and a reply a message, that stay the same however often it is
/// asked for.
const VOLATILE: [&str; 24] = [
    "now",
    "timestamp",
    "current_time",
    "current_date",
    "current_timestamp",
    "request_time",
    "request_timestamp",
    "called_at",
    "created_at",
    "requested_at",
    "sent_at",
    "nonce",
    "request_id",
    "req_id",
    "tool_call_id",
    "invocation_id",
    "correlation_id",
    "trace_id",
    "span_id",
    "uuid",
    "guid",
    "random",
    "attempt",
    "attempt_number",
];

/// Last parts of the names of text that a model words anew each time.
const FREE_TEXT: [&str; 7] =
    ["memo", "note", "message", "body", "reason", "comment", "description"];

/// TC0104: equal intents have equal hashes, and floats seldom are.
pub(super) fn floats<At: Clone>(tool: &Declared<'_, At>) -> Vec<Finding<At>> {
    let floats = hashed(tool).filter(|argument| argument.has_float);
    floats
        .map(|argument| {
            let name = &argument.name.value;
            let message = format!(
                "the float `{name}` of `{}` takes part in the operation hash: 0.1 + 0.2 is another operation than 0.3",
                tool.voice.tool
            );
            let help = format!("count in whole units, as in `{name}_cents: u64`, or {}", leave_out(tool, name));
            Finding::new(Code::FLOAT_ARGUMENT, argument.name.at.clone(), message, help)
        })
        .collect()
}

/// TC0105: a retry has the hash of the first attempt.
pub(super) fn volatile<At: Clone>(tool: &Declared<'_, At>) -> Vec<Finding<At>> {
    let volatile = hashed(tool).filter(|argument| VOLATILE.contains(&bare(&argument.name.value)));
    volatile
        .map(|argument| {
            let name = &argument.name.value;
            let message = format!(
                "`{name}` of `{}` reads like something that differs from attempt to attempt, and takes part in the \
                 operation hash: a retry will not be known as one",
                tool.voice.tool
            );
            let settled = tool.voice.say("write `allow(TC0105)`", "write `allow: [TC0105]`");
            let help = format!("{}; if it is the same in every attempt, {settled}", leave_out(tool, name));
            Finding::new(Code::VOLATILE_ARGUMENT, argument.name.at.clone(), message, help)
        })
        .collect()
}

/// TC0106: a reworded text is not a conflict.
pub(super) fn free_text<At: Clone>(tool: &Declared<'_, At>) -> Vec<Finding<At>> {
    let Some(template) = tool.keyed().and_then(|claim| claim.template.given()) else {
        return Vec::new();
    };
    let in_key = |name: &str| template.value.arguments().any(|argument| argument == name);
    let is_free = |argument: &&ArgumentDraft<At>| {
        let name = &argument.name.value;
        let last = bare(name).rsplit('_').next().unwrap_or_default();
        argument.is_text && FREE_TEXT.contains(&last) && !in_key(name)
    };
    hashed(tool)
        .filter(is_free)
        .map(|argument| {
            let name = &argument.name.value;
            let message = format!(
                "`{name}` of `{}` reads like free text and is hashed, but is not in the key: a model that rewords it \
                 meets a conflict",
                tool.voice.tool
            );
            let help = format!("if it is not part of the intent, {}", leave_out(tool, name));
            Finding::new(Code::FREE_TEXT_ARGUMENT, argument.name.at.clone(), message, help)
        })
        .collect()
}

/// TC0107: a model knows when to choose the tool.
///
/// A contract that does not say which function it is about leaves the
/// description to the function.
pub(super) fn no_description<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let draft = tool.draft;
    let may_be_elsewhere = tool.voice.say(false, draft.path.is_empty());
    (draft.description.trim().is_empty() && !may_be_elsewhere).then(|| {
        let message =
            format!("`{}` has no description, and models choose tools by it", tool.voice.tool);
        let help = tool.voice.say(
            "write a doc comment: what the tool does, and when to use it",
            "write a doc comment on the function, and its text as `description`",
        );
        let at = tool.voice.say(&draft.name.at, &draft.at);
        Finding::new(Code::NO_DESCRIPTION, at.clone(), message, help)
    })
}

/// The arguments that take part in the operation hash. A read has none.
fn hashed<'t, At: Clone>(
    tool: &'t Declared<'_, At>,
) -> impl Iterator<Item = &'t ArgumentDraft<At>> {
    let arguments = tool.change().and(tool.draft.arguments.as_deref());
    arguments.unwrap_or_default().iter().filter(|argument| argument.role != ArgumentRole::Ignored)
}

/// The name without the marks of one that is raw or unused.
fn bare(name: &str) -> &str {
    name.trim_start_matches("r#").trim_matches('_')
}

/// How to keep an argument out of the hash.
fn leave_out<At: Clone>(tool: &Declared<'_, At>, name: &str) -> String {
    tool.voice.say(
        "leave it out of the hash with `#[arg(ignore)]`".to_owned(),
        format!("leave it out of the hash with `arguments: {{ ignored: [{name}] }}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, Field};
    use crate::rulebook::check::fixture::{At, BOTH, arguments, found, keyed, never, read, write};

    use ArgumentRole::{Hashed, Ignored, Secret};

    #[test]
    fn tc0104_no_float_is_hashed() {
        for surface in BOTH {
            let of = |role| {
                let mut arguments = arguments(&[("order_id", Hashed), ("dollars", role)]);
                arguments[1].has_float = true;
                Some(arguments)
            };
            for role in [Hashed, Secret] {
                let draft = Draft { arguments: of(role), ..write(surface) };
                assert_eq!(found(&draft), [(Code::FLOAT_ARGUMENT, At::Item(1))]);
            }
            assert_eq!(found(&Draft { arguments: of(Ignored), ..write(surface) }), []);
            assert_eq!(found(&Draft { arguments: of(Hashed), ..read(surface) }), []);
        }
    }

    #[test]
    fn tc0105_nothing_volatile_is_hashed() {
        for surface in BOTH {
            let draft = |name, role| Draft {
                arguments: Some(arguments(&[("order_id", Hashed), (name, role)])),
                ..write(surface)
            };
            for name in [
                "now",
                "timestamp",
                "request_id",
                "uuid",
                "trace_id",
                "created_at",
                "_nonce",
                "r#random",
            ] {
                assert_eq!(
                    found(&draft(name, Hashed)),
                    [(Code::VOLATILE_ARGUMENT, At::Item(1))],
                    "{name}"
                );
                assert_eq!(found(&draft(name, Ignored)), [], "{name}");
            }
            for name in ["date", "time", "starts_at", "message_id", "user_id", "nowhere"] {
                assert_eq!(found(&draft(name, Hashed)), [], "{name}");
            }
            let never =
                Draft { idempotent: never(), key_required: Field::Absent, ..draft("now", Hashed) };
            assert_eq!(found(&never), [(Code::VOLATILE_ARGUMENT, At::Item(1))]);
        }
    }

    #[test]
    fn tc0106_free_text_is_in_the_key_or_not_hashed() {
        for surface in BOTH {
            let draft = |name, role, key| Draft {
                idempotent: keyed(key),
                arguments: Some(arguments(&[("order_id", Hashed), (name, role)])),
                ..write(surface)
            };
            for name in ["memo", "refund_reason", "body"] {
                assert_eq!(
                    found(&draft(name, Hashed, "{order_id}")),
                    [(Code::FREE_TEXT_ARGUMENT, At::Item(1))]
                );
                assert_eq!(found(&draft(name, Ignored, "{order_id}")), []);
            }
            assert_eq!(found(&draft("memo", Hashed, "{order_id}/{memo}")), []);
            assert_eq!(found(&draft("currency", Hashed, "{order_id}")), []);
            let mut number = draft("note", Hashed, "{order_id}");
            number.arguments.iter_mut().flatten().for_each(|argument| argument.is_text = false);
            assert_eq!(found(&number), []);
            let given = Draft { arguments: Some(arguments(&[("memo", Hashed)])), ..write(surface) };
            assert_eq!(found(&given), []);
        }
    }

    #[test]
    fn tc0107_a_model_is_told_what_the_tool_does() {
        let [code, file] = BOTH;
        let draft = |surface, path: &str| Draft {
            description: " ".to_owned(),
            path: path.to_owned(),
            ..read(surface)
        };
        assert_eq!(found(&draft(code, "shop::balance")), [(Code::NO_DESCRIPTION, At::Name)]);
        assert_eq!(found(&draft(code, "")), [(Code::NO_DESCRIPTION, At::Name)]);
        assert_eq!(found(&draft(file, "shop::balance")), [(Code::NO_DESCRIPTION, At::Tool)]);
        assert_eq!(found(&draft(file, "")), []);
    }
}
