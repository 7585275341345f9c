//! What a saga came to.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// How a saga ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All of it happened.
    Finished,
    /// What happened of it was undone.
    Undone,
}

impl Ended {
    /// It in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Undone => "undone",
        }
    }
}

/// How a saga ended whose result this is, as JSON; `None` if it is no saga's.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// use tool_contract::spec::saga::{Ended, ended};
///
/// assert_eq!(ended(r#"{"finished":17}"#), Some(Ended::Finished));
/// assert_eq!(ended(r#"{"undone":{"error":"sold out","steps":[]}}"#), Some(Ended::Undone));
/// assert_eq!(ended("17"), None);
/// ```
#[must_use]
pub fn ended(result: &str) -> Option<Ended> {
    serde_json::from_str(result).ok().map(|written| match written {
        Written::Finished(_) => Ended::Finished,
        Written::Undone { .. } => Ended::Undone,
    })
}

/// As it is written.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is read to see whether it is there")]
enum Written {
    Finished(IgnoredAny),
    Undone { error: String, steps: Vec<Step> },
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is read to see whether it is there")]
struct Step {
    step: u32,
    tool: String,
}
