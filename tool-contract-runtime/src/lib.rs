//! The runtime, the executor and the ledgers of
//! [`tool-contract`](https://docs.rs/tool-contract); use that crate.
//!
//! | module | what it is |
//! |---|---|
//! | [`tool`], [`argument`] | what `#[tool]` implements |
//! | [`call`], [`calling`] | a call, and the future that makes it |
//! | [`runtime`], [`registry`] | what calls run on |
//! | `executor` | admit → attempt → decide → settle |
//! | [`cx`], [`asked`] | what bodies, reconcile functions and compensations see |
//! | [`saga`] | calls that together happen or are undone |
//! | [`two_phase`], [`versioned`] | bodies that reserve first; bodies that write what others write, too |
//! | [`approval`] | asking a person |
//! | [`escalation`] | what only a person's word moves on |
//! | [`dispatch`] | calls by name, with JSON |
//! | [`ledger`] | where operations are remembered |
//! | [`classify`] | what an HTTP status or an I/O error says of the world |
//! | [`error`] | why a call did not end well |
//! | [`testing`] | a clock to hold, faults to inject |

pub mod approval;
pub mod argument;
pub mod asked;
mod budget;
pub mod call;
pub mod calling;
pub mod classify;
pub mod clock;
mod completed;
mod contract_file;
pub mod cx;
pub mod dispatch;
pub mod error;
pub mod escalation;
mod executor;
mod hashed;
mod job;
pub mod ledger;
pub mod private;
pub mod registry;
pub mod runtime;
pub mod saga;
mod sync;
pub mod testing;
mod together;
pub mod tool;
pub mod two_phase;
pub mod versioned;

pub use approval::{Approval, PendingApproval};
pub use asked::{Asked, Done};
pub use budget::Budget;
pub use call::Call;
pub use calling::Calling;
pub use completed::Completed;
pub use cx::Cx;
pub use dispatch::{Meta, Request, Response, Status};
pub use error::{About, BuildError, CallError, Failure, LedgerFailure, Rejected, UnknownOutcome};
pub use escalation::{Escalation, Escalations};
pub use runtime::{Runtime, RuntimeBuilder};
pub use saga::{Saga, StepError};
pub use tool::{Tool, ToolError};
pub use tool_contract_spec as spec;
