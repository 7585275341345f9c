//! The ledger's protocol as a model: every order of events within bounds.
//!
//! The record is changed by the transitions of `tool-contract-spec` themselves.
//! Around them stand calls of one key, each in a process that may die at any
//! moment, reconcilers, and a person:
//!
//! - A request, once sent, may arrive late, again, or never; so may a settlement
//!   and a reconciler's report. An answer arrives or is lost.
//! - A call begins an attempt only while it believes that it holds, by a clock
//!   that it reads from before it asked; an attempt acts until its timeout, or,
//!   where it cannot be stopped, until it ends.
//! - An effect is seen for sure only `settle` after it happened, and perhaps
//!   before. A look begins at one time and is reported at another.
//! - A person says that the holders are dead only if they are, and then knows
//!   all that happened.
//!
//! Time goes in ticks; what is due between two ticks happens at the later one.
//! What a transition never reads (history, texts, when something began) is
//! forgotten, so that states that behave alike are one.
//!
//! A [`Fault`] takes one guard away. That the checker then finds what the guard
//! prevents shows that it would find it in the transitions, too.
//!
//! [`saga`] is the same for the operations of one saga.

#[macro_use]
mod named;

mod call;
mod fault;
mod ledger;
mod look;
mod property;
mod protocol;
pub mod saga;
mod scenario;
mod world;

pub use fault::Fault;
pub use property::{Promise, Sight};
pub use protocol::{Action, Protocol};
pub use world::World;
