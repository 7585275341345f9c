//! Which calls may stand where.

use super::Open;
use crate::call::{approval_state, key};

/// A tool whose calls can be undone: its rollback is a function, or it is a read.
///
/// `#[tool]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be undone, so it cannot be a step of a saga before the pivot",
    label = "nothing undoes this call if a later step fails",
    note = "TC0026: if a function can undo it, name it in the tool's attribute: `rollback = \"path\"`; if nothing can, it may be the pivot itself, `let (output, saga) = saga.pivot(..).await?`, or stand after it if it has `idempotent` and `retry(max = .., on = ..)`"
)]
pub trait Compensable {}

/// A tool whose calls can be repeated until they succeed: a read, or a write that
/// is idempotent and retried, or whose repetition is harmless by itself.
///
/// `#[tool]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be repeated until it succeeds, so it cannot stand after a saga's pivot",
    label = "after the point of no return there is no way but forward, and this call may fail for good",
    note = "TC0027: if it can be repeated, say so in the tool's attribute: `idempotent, retry(max = .., on = ..)`; if it cannot, it may be the pivot itself, or stand before it if it has `rollback = \"path\"`"
)]
pub trait Completable {}

/// The state of a saga that has not passed its point of no return.
#[diagnostic::on_unimplemented(
    message = "a saga has one point of no return, and this one has passed it",
    label = "this would be its second pivot",
    note = "TC0027: make it a step, `saga.step(..)`, if its tool has `idempotent` and `retry(max = .., on = ..)`; or make the earlier pivot a step, if its tool has `rollback = \"path\"`; of calls that have neither, a saga can make one"
)]
pub trait Revocable {}

#[diagnostic::do_not_recommend]
impl Revocable for Open {}

/// A call that brings no key of its own.
#[diagnostic::on_unimplemented(
    message = "a step of a saga takes its key from the saga",
    label = "`{T}` was given a key, which would be ignored here",
    note = "remove `.key(..)`: each step has a key of its own, a child of the saga's"
)]
pub trait Unkeyed<T> {}

#[diagnostic::do_not_recommend]
impl<T> Unkeyed<T> for key::Missing {}
#[diagnostic::do_not_recommend]
impl<T> Unkeyed<T> for key::Derived {}
#[diagnostic::do_not_recommend]
impl<T> Unkeyed<T> for key::Keyless {}
#[diagnostic::do_not_recommend]
impl<T> Unkeyed<T> for key::Undecided {}

/// A call that brings no approval of its own.
#[diagnostic::on_unimplemented(
    message = "a step of a saga asks for its approval itself",
    label = "`{T}` was given an approval, which is for another call",
    note = "TC0209: remove `.approved(..)`: when the saga comes to the step, it leaves a request for it and rests; once people have said yes, call the saga again with its key, and it goes on"
)]
pub trait Unapproved<T> {}

#[diagnostic::do_not_recommend]
impl<T> Unapproved<T> for approval_state::Missing {}
#[diagnostic::do_not_recommend]
impl<T> Unapproved<T> for approval_state::NotNeeded {}
#[diagnostic::do_not_recommend]
impl<T> Unapproved<T> for approval_state::Undecided {}
