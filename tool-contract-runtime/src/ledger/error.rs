//! Why a ledger could not answer.

/// Why a ledger could not answer.
///
/// It may have done what it was asked or not. No tool runs on such an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// It cannot be reached, or is closed.
    #[error("the ledger is unavailable: {0}")]
    Unavailable(String),
    /// It has no room left.
    #[error("the ledger has no room left: {0}")]
    Full(String),
    /// What it holds is damaged, or was not written by this version.
    #[error("the ledger holds what cannot be read: {0}")]
    Corrupt(String),
    /// It has forgotten what it had answered before. Nothing runs until somebody
    /// has looked.
    #[error("the ledger has lost data: {0}")]
    Lost(String),
    /// More waits for it than it takes.
    #[error("the ledger has {0} requests waiting and takes no more")]
    Overloaded(usize),
}
