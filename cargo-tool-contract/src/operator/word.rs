//! Who says something, and why: no override is on record without.

use std::env;
use std::sync::Arc;

use super::{Kind, Problem};
use crate::args::Word;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 255;

/// The longest reason, in bytes.
const LONGEST_REASON: usize = 4_096;

/// What stands for a reason in the commands that are proposed.
pub(crate) const WHY: &str = "WHY";

/// Somebody, and a reason.
pub(crate) struct Said {
    pub(crate) by: Arc<str>,
    pub(crate) why: Arc<str>,
}

impl Said {
    pub(crate) fn of(word: &Word) -> Result<Self, Problem> {
        let by = match &word.by {
            Some(by) => by.clone(),
            None => user().ok_or_else(|| {
                refused("nobody is named who says so").help("write `--by NAME`; it goes on record")
            })?,
        };
        let (by, why) = (by.trim(), word.why.trim());
        if by.is_empty() || by.len() > LONGEST_NAME || by.chars().any(char::is_control) {
            let form = format!("`--by` is 1 to {LONGEST_NAME} bytes without control characters");
            return Err(refused(&form));
        }
        if why.is_empty() || why == WHY {
            return Err(refused("`--why` gives no reason")
                .help("write what was looked at, and what was seen; it goes on record"));
        }
        if why.len() > LONGEST_REASON {
            return Err(refused(&format!(
                "`--why` has {} bytes, of at most {LONGEST_REASON}",
                why.len()
            )));
        }
        Ok(Self { by: by.into(), why: why.into() })
    }
}

fn refused(message: &str) -> Problem {
    Problem::new(Kind::Usage, format!("{message}; nothing was changed"))
}

/// Who is at the machine, as it says.
fn user() -> Option<String> {
    let named = ["USER", "LOGNAME"].into_iter().filter_map(|name| env::var(name).ok());
    named.map(|name| name.trim().to_owned()).find(|name| !name.is_empty())
}
