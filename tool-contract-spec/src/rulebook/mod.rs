//! Which drafts become policies, and what to say of the others.
//!
//! Every rule has one [`Rule`] here, one page that [`explain`] prints, and one
//! place where it is evaluated. The macro, the contract reader and the runtime
//! only differ in where they put the finding.
//!
//! | question | answer |
//! |---|---|
//! | is this declaration a policy? | [`check()`] |
//! | what is the rule about? | [`RULES`], [`rule()`], [`explain`] |
//! | how much does it weigh? | [`Kind`], [`Level`], and [`Levels`] where a project raised it |
//! | which word was meant? | [`suggest`] |
//!
//! ```
//! # mod tool_contract { pub use tool_contract_spec as spec; }
//! use tool_contract::spec::draft::{Draft, Located, Surface};
//! use tool_contract::spec::rulebook::{Code, check};
//!
//! let name = Located::new("charge_card".to_owned(), "line 2");
//! let draft = Draft::new(Surface::Contract, "line 2", name);
//! let finding = &check(&draft).findings[0];
//!
//! assert_eq!(finding.code, Code::MISSING_SIDE_EFFECT);
//! assert_eq!(finding.at, "line 2");
//! assert!(finding.message.starts_with("`charge_card` does not say what it does to the world"));
//! ```
//!
//! A new rule is a code in `code.rs`, a line in `table.rs`, a page in `pages/`
//! with an example that breaks it and one that does not, and a function in
//! `check/`, listed there. The tests notice if one of these is missing, and run
//! the examples.

mod check;
mod code;
mod finding;
mod levels;
mod prelude;
mod rule;
pub mod suggest;
mod table;

pub use check::{Checked, check};
pub use code::{Code, MalformedCode};
pub use finding::{Finding, Level};
pub use levels::Levels;
pub use prelude::PRELUDE;
pub use rule::{Example, Kind, Rule};
pub use table::{RULES, explain, rule};
