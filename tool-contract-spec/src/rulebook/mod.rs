//! Which drafts become policies, and what to say of the others.
//!
//! Every rule has one [`Rule`] here, one page that [`explain`] prints, and one
//! place where it is evaluated. The macro, the contract reader and the runtime
//! only differ in where they put the finding.

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
