//! The YAML contract: strict reading, byte-stable writing, comparing.
//!
//! [`read`] turns text into a [`Document`]: an [`Entry`] per tool, and a
//! [`Finding`] for every rule that the file breaks. A file that is no contract
//! at all is [`Unreadable`]. [`write`](fn@write) is its inverse, and [`compare`] says where
//! a file and the code differ.
//!
//! The field names are those of published handbooks on agent tools, so that a
//! contract written by hand from one of them is valid as it stands:
//!
//! ```
//! # mod tool_contract { pub use tool_contract_spec as spec; }
//! let document = tool_contract::spec::document::read(
//!     "tools:
//!        open_incident:
//!          mode: write
//!          idempotent: true
//!          idempotency_key_required: true
//!          rollback: { strategy: none }
//!     ",
//! )?;
//! assert_eq!(document.entries[0].name(), "open_incident");
//! # Ok::<(), tool_contract::spec::document::Unreadable>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::draft::Draft;
use crate::policy::Contract;
use crate::rulebook::Finding;

mod argument;
mod compare;
mod drift;
mod entry;
mod field;
mod group;
mod limit;
mod node;
mod read;
mod scalar;
mod write;

pub use compare::{Difference, compare, compare_schemas, disagreement, only_in_code, only_in_file};
pub use drift::drift;
pub use field::{AttributeKey, FieldName};
pub use read::read;
pub use write::{Emitted, write};

/// The largest file that is read: 1 MiB.
pub const LARGEST_FILE: usize = 1024 * 1024;
/// How deep maps and lists may stand in one another.
pub const DEEPEST_NESTING: usize = 48;
/// How many values a file may have, those that aliases repeat included.
pub const MOST_NODES: usize = 100_000;
/// How many aliases (`*name`) a file may use.
pub const MOST_ALIASES: usize = 256;

/// A place in a file. Lines and columns count from 1; columns count
/// characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Position {
    /// Where a file begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a text is no contract file at all.
///
/// A contract that breaks rules is readable; its findings are in
/// [`Document::findings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where, if it is any one place's fault.
    pub at: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to write instead; may be empty.
    pub help: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unreadable {}

/// A contract file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The tools, in the order of the file. Of two with one name, the first.
    pub entries: Vec<Entry>,
    /// What breaks a rule, in the order of the file.
    pub findings: Vec<Finding<Position>>,
}

impl Document {
    /// The entry of a tool.
    #[must_use]
    pub fn entry(&self, tool: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name() == tool)
    }
}

/// A tool in a contract file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What is written, with its places.
    pub draft: Draft<Position>,
    /// What it means; `None` if it breaks a rule that denies.
    pub contract: Option<Contract>,
    /// The JSON Schemas that it states.
    pub schemas: Schemas,
    /// Each field that is written, by its path in the entry, and where.
    stated: BTreeMap<String, Position>,
}

/// The JSON Schemas of a tool, where they are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schemas {
    /// Of the arguments, taken as an object.
    pub arguments: Option<Value>,
    /// Of the output.
    pub output: Option<Value>,
}

impl Entry {
    /// The tool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.draft.name.value
    }

    /// Whether the file states this field.
    #[must_use]
    pub fn states(&self, field: FieldName) -> bool {
        self.stated.contains_key(field.as_str())
    }

    /// Where this field stands, or what encloses it if it is absent: the
    /// group, or the tool's name.
    #[must_use]
    pub fn place_of(&self, field: FieldName) -> Position {
        let path = field.as_str();
        let group = path.split_once('.').map_or(path, |(group, _)| group);
        // A rate's field names its period too.
        let rate = |stated: &str| {
            stated.strip_prefix(path).is_some_and(|period| period.starts_with("_per_"))
        };
        let place = self
            .stated
            .get(path)
            .or_else(|| self.stated.iter().find(|(stated, _)| rate(stated)).map(|(_, at)| at))
            .or_else(|| self.stated.get(group));
        place.copied().unwrap_or(self.draft.at)
    }
}
