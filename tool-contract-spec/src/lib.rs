//! The policy model, the rulebook, the decision and the ledger's transitions
//! of [`tool-contract`](https://docs.rs/tool-contract), as pure functions.
//!
//! Nothing here does I/O, reads a clock or knows a future. The macro calls it
//! while compiling, the command line while reviewing, the runtime while
//! running: a rule that stands here stands once.
//!
//! | module | what it answers |
//! |---|---|
//! | [`outcome`] | what came of an attempt |
//! | [`policy`] | what a tool declares, with every default filled in |
//! | [`mod@decide`] | what follows from an outcome under a policy |
//! | [`draft`] | what somebody wrote, with its places, before it is believed |
//! | [`rulebook`] | which drafts become policies, and what to say of the others |
//! | [`document`] | the YAML contract: strict reading, byte-stable writing |
//! | [`key`] | tenants, idempotency keys and their templates |
//! | [`canonical`], [`operation`] | the RFC 8785 form and the operation hash |
//! | [`ledger`] | the transitions of an operation's record |
//! | [`saga`] | what the history of a saga says, and what follows |
//! | [`duration`], [`hex`] | `30s`, `24h`: the one way to write a time span; bytes as digits |

pub mod breaker;
pub mod canonical;
pub mod decide;
pub mod document;
pub mod draft;
pub mod duration;
pub mod hex;
pub mod key;
pub mod ledger;
pub mod operation;
pub mod outcome;
pub mod policy;
pub mod rulebook;
pub mod saga;
pub mod template;
mod worded;
