//! What a tool is: the trait that `#[tool]` implements.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tool_contract_spec::outcome::Outcome;
use tool_contract_spec::policy::Contract;

use crate::argument::{Argument, Values};
use crate::asked::{Asked, Done};
use crate::call::{ApprovalState, KeyState};
use crate::cx::Cx;
use crate::saga::Rests;

/// A boxed future: one allocation, so that the executor is compiled once and
/// not once for each tool.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An output that can be stored and replayed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a tool",
    label = "a replay stores and reads this value",
    note = "TC0024: derive `serde::Serialize`, `serde::Deserialize` and `schemars::JsonSchema` for it; it must own its data and be `Send`"
)]
pub trait Output: Sized + Send + 'static {
    /// It as JSON.
    #[doc(hidden)]
    fn to_json(&self) -> Result<String, serde_json::Error>;
    /// It from JSON.
    #[doc(hidden)]
    fn from_json(json: &str) -> Result<Self, serde_json::Error>;
    /// Its JSON Schema.
    #[doc(hidden)]
    fn schema(generator: SchemaGenerator) -> Schema;
}

// Methods instead of supertraits: the compiler would report each of those for
// itself.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema + Send + 'static> Output for T {
    fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    fn schema(generator: SchemaGenerator) -> Schema {
        generator.into_root_schema_for::<T>()
    }
}

/// An error that says what each of its variants means for the world.
///
/// Derive it: `#[derive(ToolError)]` wants an `#[outcome(..)]` on every
/// variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its failures mean",
    label = "an unclassified error decides nothing",
    note = "TC0023: put `#[derive(tool_contract::ToolError)]` on it and `#[outcome(..)]` on every variant; an error of another crate goes into an enum of your own"
)]
pub trait ToolError: std::fmt::Display + std::fmt::Debug + Send + 'static {
    /// What this error says of the world.
    fn outcome(&self) -> Outcome;

    /// It, if it says that a saga rests.
    #[doc(hidden)]
    fn as_rest(&self) -> Option<&Rests> {
        None
    }
}

/// A tool that cannot fail.
impl ToolError for std::convert::Infallible {
    fn outcome(&self) -> Outcome {
        match *self {}
    }
}

/// What a function returns, whichever alias it is written with.
#[diagnostic::on_unimplemented(
    message = "a tool returns a `Result`",
    label = "this is not a `Result`",
    note = "TC0022: write `-> Result<Output, Error>`, with an error that derives `ToolError`"
)]
pub trait Returned {
    /// The `Ok` side.
    type Output;
    /// The `Err` side.
    type Error;
    /// A body on its way to returning this. What is no `Result` has none, so
    /// that generated code does not complain of it a second time.
    type Running<'a>;
}

// Without bounds: those of [`Tool`] are enough, and each is one error then.
impl<T, E> Returned for Result<T, E> {
    type Output = T;
    type Error = E;
    type Running<'a> = BoxFuture<'a, Self>;
}

/// A type that the body takes from the runtime, as declared in `state(..)`.
#[derive(Debug, Clone, Copy)]
pub struct StateType {
    /// Its identity.
    pub id: fn() -> TypeId,
    /// Its name, for messages.
    pub name: fn() -> &'static str,
}

impl StateType {
    /// The entry for `S`.
    #[must_use]
    pub const fn of<S: Send + Sync + 'static>() -> Self {
        Self { id: TypeId::of::<S>, name: std::any::type_name::<S> }
    }
}

/// A function with a contract.
///
/// `#[tool]` implements it for the type that it generates; its fields are the
/// function's arguments. Nobody else need implement it, and everything in it
/// may change: it is public so that `Call<T>` and `Approval<T>` can be named.
pub trait Tool: Clone + Send + 'static {
    /// What the function returns.
    type Output: Output;
    /// How it fails.
    type Error: ToolError;
    /// Where its key comes from.
    type Key: KeyState;
    /// Whether it wants an approval.
    type Approval: ApprovalState;

    /// Its arguments, in the order of the source.
    const ARGUMENTS: &'static [Argument<Self>];
    /// The indices of the hashed and secret arguments in the order of RFC 8785.
    const ORDER: &'static [usize];
    /// The state that its body takes.
    const STATE: &'static [StateType];
    /// Whether the function is not async, and so must run where it cannot
    /// block the executor.
    const BLOCKING: bool;
    /// Whether it is a saga: its body makes steps.
    const IS_SAGA: bool = false;
    /// The package that it was compiled in.
    const PACKAGE: &'static str;

    /// The contract that the compiler checked.
    fn contract() -> &'static Contract;

    /// Puts the arguments together.
    #[doc(hidden)]
    fn build(values: &mut Values) -> Self;

    /// Runs the body once. Only the executor calls it.
    #[doc(hidden)]
    fn run(self, cx: &Cx) -> BoxFuture<'_, Result<Self::Output, Self::Error>>;

    /// Asks the reconcile function, if there is one.
    #[doc(hidden)]
    fn reconcile(
        _asked: Asked<Self>,
    ) -> Option<BoxFuture<'static, Result<Option<Self::Output>, String>>> {
        None
    }

    /// Runs the compensation, if there is one.
    #[doc(hidden)]
    fn roll_back(_done: Done<Self>) -> Option<BoxFuture<'static, Result<(), String>>> {
        None
    }
}
