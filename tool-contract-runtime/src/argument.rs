//! Arguments, with their types erased.
//!
//! The bounds on an argument's type are stated once, in [`erased`], at the
//! type that the user wrote: a type that cannot be stored is one error, not
//! one for each derive.

use std::any::Any;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tool_contract_spec::canonical::{self, CanonicalError, Form};
use tool_contract_spec::policy::ArgumentRole;

use crate::tool::Tool;

/// A value that can be hashed, stored, compared and given again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a tool",
    label = "arguments are hashed, stored and given again",
    note = "TC0024: derive `Clone`, `serde::Serialize`, `serde::Deserialize` and `schemars::JsonSchema` for it; it must own its data and be `Send`"
)]
pub trait ArgumentType: Clone + Serialize + DeserializeOwned + JsonSchema + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Serialize + DeserializeOwned + JsonSchema + Send + 'static> ArgumentType for T {}

/// What can be done with a value of an argument's type.
///
/// Every function takes the value as `&dyn Any` and is only ever given a value
/// of the type that it was made for.
pub struct Erased {
    pub(crate) canonical: fn(&dyn Any, &mut String) -> Result<Form, CanonicalError>,
    pub(crate) json: fn(&dyn Any) -> Result<Box<RawValue>, serde_json::Error>,
    pub(crate) read: fn(&str) -> Result<Box<dyn Any + Send>, serde_json::Error>,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) clone_into: fn(&dyn Any, &mut dyn Any),
}

/// The functions for `A`, in static memory.
#[must_use]
pub const fn erased<A: ArgumentType>() -> &'static Erased {
    const {
        &Erased {
            canonical: |value, out| with::<A, _>(value, |value| canonical::write(value, out)),
            json: |value| with::<A, _>(value, serde_json::value::to_raw_value),
            read: |text| {
                serde_json::from_str::<A>(text).map(|value| Box::new(value) as Box<dyn Any + Send>)
            },
            schema: |generator| generator.subschema_for::<A>(),
            clone_into: |value, slot| {
                if let (Some(value), Some(slot)) =
                    (value.downcast_ref::<A>(), slot.downcast_mut::<Option<A>>())
                {
                    *slot = Some(value.clone());
                }
            },
        }
    }
}

/// Calls `f` with the value that `value` is.
///
/// # Panics
/// If it is of another type: generated code pairs each field with its own
/// functions, so that is a defect of ours.
fn with<A: 'static, R>(value: &dyn Any, f: impl FnOnce(&A) -> R) -> R {
    match value.downcast_ref::<A>() {
        Some(value) => f(value),
        None => mismatch(),
    }
}

#[cold]
fn mismatch() -> ! {
    unreachable!(
        "an argument was paired with the functions of another type; this is a bug in tool-contract"
    )
}

/// An argument of the tool `T`.
pub struct Argument<T: 'static> {
    /// Its name.
    pub name: &'static str,
    /// What it is to the operation hash.
    pub role: ArgumentRole,
    /// What the model is told of it; empty where nothing was said.
    pub description: &'static str,
    pub(crate) get: fn(&T) -> &dyn Any,
    pub(crate) erased: &'static Erased,
}

impl<T> Argument<T> {
    /// The argument `name`, found by `get`.
    #[must_use]
    pub const fn new(
        name: &'static str,
        role: ArgumentRole,
        description: &'static str,
        get: fn(&T) -> &dyn Any,
        erased: &'static Erased,
    ) -> Self {
        Self { name, role, description, get, erased }
    }
}

impl<T> fmt::Debug for Argument<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argument")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The value of the argument at `index`, cloned; for generated `Clone`
/// implementations.
#[must_use]
pub fn cloned<T: Tool, A: 'static>(tool: &T, index: usize) -> A {
    let mut slot: Option<A> = None;
    if let Some(argument) = T::ARGUMENTS.get(index) {
        (argument.erased.clone_into)((argument.get)(tool), &mut slot);
    }
    slot.unwrap_or_else(|| mismatch())
}

/// The arguments of one call, read and waiting to be put into their struct.
#[derive(Debug)]
pub struct Values(pub(crate) Vec<Option<Box<dyn Any + Send>>>);

impl Values {
    /// Takes the value of the argument at `index`.
    ///
    /// # Panics
    /// If it was taken before or is of another type, which generated code
    /// never does.
    #[must_use]
    pub fn take<A: 'static>(&mut self, index: usize) -> A {
        self.0
            .get_mut(index)
            .and_then(Option::take)
            .and_then(|value| value.downcast::<A>().ok())
            .map_or_else(|| mismatch(), |value| *value)
    }
}
