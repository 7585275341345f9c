//! A call without its type: what the executor, which is compiled once, sees of
//! a tool.

pub(crate) mod read;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tool_contract_spec::canonical::Form;
use tool_contract_spec::key::LONGEST_KEY;
use tool_contract_spec::ledger::Timestamp;
use tool_contract_spec::operation::{
    Fingerprint, OperationError, OperationHash, OperationHasher, SecretKey,
};
use tool_contract_spec::outcome::{Outcome, OutcomeClass};
use tool_contract_spec::policy::{ArgumentRole, Contract};

use tool_contract_spec::saga::LONGEST_ROOT;

use crate::asked::Asked;
use crate::cx::Cx;
use crate::tool::{BoxFuture, Output, Tool, ToolError};

/// What a call does: its hash, and its arguments for the record.
pub(crate) struct Described {
    pub(crate) hash: OperationHash,
    /// As JSON, secrets left out.
    pub(crate) arguments: Arc<str>,
    /// What a person is to see of them, where one has to agree.
    pub(crate) seen: Option<Seen>,
}

/// Arguments in canonical form, as a person agrees to them.
pub(crate) struct Seen {
    /// What was hashed.
    pub(crate) arguments: Arc<str>,
    /// What was not.
    pub(crate) ignored: Option<Arc<str>>,
}

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    /// The result as JSON, if it succeeded and goes on record.
    pub(crate) result: Option<Arc<str>>,
    /// The error's text, if it did not.
    pub(crate) error: String,
}

/// What a reconcile function found.
pub(crate) enum Found {
    Happened(Arc<str>),
    DidNotHappen,
    CannotTell(String),
}

/// A call without its type.
pub(crate) trait Job: Send {
    fn contract(&self) -> &'static Contract;
    fn is_blocking(&self) -> bool;
    /// The longest key that it takes, in bytes.
    fn longest_key(&self) -> usize;
    fn describe(
        &self,
        secret: Option<&SecretKey>,
        fingerprint: Option<&Fingerprint>,
    ) -> Result<Described, OperationError>;
    /// An argument as the text that stands in a key.
    fn key_text(&self, argument: &str) -> Option<String>;
    /// Runs the body once; the typed result stays with the job. After the last
    /// attempt nobody asks for anything but that result.
    fn attempt(&mut self, cx: Cx, is_last: bool) -> BoxFuture<'_, Ended>;
    /// Asks the reconcile function, if there is one.
    fn reconcile(&mut self, cx: Cx, at: Timestamp) -> Option<BoxFuture<'_, Found>>;
}

/// A call of the tool `T`.
pub(crate) struct TypedJob<T: Tool> {
    /// `None` once the last attempt has them.
    arguments: Option<T>,
    /// What the newest attempt returned.
    pub(crate) last: Option<Result<T::Output, T::Error>>,
}

impl<T: Tool> TypedJob<T> {
    fn arguments(&self) -> &T {
        self.arguments.as_ref().unwrap_or_else(|| spent())
    }

    pub(crate) const fn new(arguments: T) -> Self {
        Self { arguments: Some(arguments), last: None }
    }
}

impl<T: Tool> Job for TypedJob<T>
where
    T::Output: Send,
{
    fn contract(&self) -> &'static Contract {
        T::contract()
    }

    fn is_blocking(&self) -> bool {
        T::BLOCKING
    }

    fn longest_key(&self) -> usize {
        if T::IS_SAGA { LONGEST_ROOT } else { LONGEST_KEY }
    }

    fn describe(
        &self,
        secret: Option<&SecretKey>,
        fingerprint: Option<&Fingerprint>,
    ) -> Result<Described, OperationError> {
        describe(self.arguments(), secret, fingerprint)
    }

    fn key_text(&self, name: &str) -> Option<String> {
        let argument = T::ARGUMENTS.iter().find(|argument| argument.name == name)?;
        let mut canonical = String::new();
        (argument.erased.canonical)((argument.get)(self.arguments()), &mut canonical).ok()?;
        // A text stands for itself, a whole number for its digits, anything else
        // for its canonical JSON.
        if canonical.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Some(canonical.trim_end_matches('n').to_owned());
        }
        Some(serde_json::from_str::<String>(&canonical).unwrap_or(canonical))
    }

    fn attempt(&mut self, cx: Cx, is_last: bool) -> BoxFuture<'_, Ended> {
        let is_recorded = !T::contract().policy.is_read();
        Box::pin(async move {
            // In here, so that a panic in somebody's `clone` is one of the body.
            let arguments = if is_last { self.arguments.take() } else { self.arguments.clone() };
            let arguments = arguments.unwrap_or_else(|| spent());
            let result = arguments.run(&cx).await;
            let ended = match &result {
                Ok(output) => Ended {
                    outcome: OutcomeClass::Success.into(),
                    result: is_recorded.then(|| stored(output)),
                    error: String::new(),
                },
                Err(error) => {
                    Ended { outcome: error.outcome(), result: None, error: error.to_string() }
                }
            };
            self.last = Some(result);
            ended
        })
    }

    fn reconcile(&mut self, cx: Cx, at: Timestamp) -> Option<BoxFuture<'_, Found>> {
        let key = cx.key()?.clone();
        let asking = T::reconcile(Asked { args: self.arguments().clone(), key, at, cx })?;
        Some(Box::pin(async move {
            match asking.await {
                Ok(Some(output)) => Found::Happened(stored(&output)),
                Ok(None) => Found::DidNotHappen,
                Err(why) => Found::CannotTell(why),
            }
        }))
    }
}

#[cold]
fn spent() -> ! {
    unreachable!("a call was attempted after its last attempt; this is a bug in tool-contract")
}

/// An output as the ledger keeps it. One that cannot be written is still a
/// success that must not run again: its replay says that it is unreadable.
fn stored<O: Output>(output: &O) -> Arc<str> {
    output.to_json().unwrap_or_else(|error| format!("unwritable: {error}")).into()
}

fn describe<T: Tool>(
    arguments: &T,
    secret: Option<&SecretKey>,
    fingerprint: Option<&Fingerprint>,
) -> Result<Described, OperationError> {
    let contract = T::contract();
    let mut hasher = OperationHasher::new(&contract.name, contract.version);
    let mut is_whole = T::ORDER.len() == T::ARGUMENTS.len();
    for argument in T::ORDER.iter().filter_map(|index| T::ARGUMENTS.get(*index)) {
        let value = (argument.get)(arguments);
        match (argument.role, secret) {
            (ArgumentRole::Secret, Some(key)) => {
                is_whole = false;
                hasher.secret(argument.name, key, |out| (argument.erased.canonical)(value, out))?
            }
            (ArgumentRole::Secret, None) => {
                return Err(OperationError::SecretArgument { name: argument.name.to_owned() });
            }
            _ => hasher.argument(argument.name, |out| (argument.erased.canonical)(value, out))?,
        };
    }
    let operation = hasher.finish(fingerprint);
    let seen = if contract.policy.confirm.is_some() {
        let seen = operation.canonical.as_str().into();
        Some(Seen { arguments: seen, ignored: ignored(arguments)? })
    } else {
        None
    };
    // The canonical text is the JSON of the arguments, if nothing is missing
    // from it: then it need not be written twice.
    let arguments = if is_whole && operation.form == Form::Json {
        operation.canonical.into()
    } else {
        recorded(arguments)
    };
    Ok(Described { hash: operation.hash, arguments, seen })
}

/// The canonical object of the arguments that are not hashed, if there are any.
fn ignored<T: Tool>(arguments: &T) -> Result<Option<Arc<str>>, OperationError> {
    let mut members = BTreeMap::new();
    for argument in T::ARGUMENTS.iter().filter(|it| it.role == ArgumentRole::Ignored) {
        let mut value = String::new();
        (argument.erased.canonical)((argument.get)(arguments), &mut value)
            .map_err(|source| OperationError::Argument { name: argument.name.into(), source })?;
        members.insert(argument.name, value);
    }
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", Value::from(*name))).collect();
    Ok((!members.is_empty()).then(|| format!("{{{}}}", members.join(",")).into()))
}

/// The arguments as JSON, secrets left out.
fn recorded<T: Tool>(arguments: &T) -> Arc<str> {
    let open = T::ARGUMENTS.iter().filter(|argument| argument.role != ArgumentRole::Secret);
    let members = open.filter_map(|argument| {
        let json = (argument.erased.json)((argument.get)(arguments)).ok()?;
        Some((argument.name.to_owned(), json))
    });
    let members: BTreeMap<String, Box<RawValue>> = members.collect();
    serde_json::to_string(&members).unwrap_or_default().into()
}

/// The arguments for a person to read: secrets are named and not shown.
pub(crate) fn shown<T: Tool>(arguments: &T) -> Value {
    let mut members = Map::new();
    for argument in T::ARGUMENTS {
        let value = if argument.role == ArgumentRole::Secret {
            Value::from("(secret)")
        } else {
            let json = (argument.erased.json)((argument.get)(arguments)).ok();
            json.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
        };
        members.insert(argument.name.to_owned(), value);
    }
    Value::Object(members)
}
