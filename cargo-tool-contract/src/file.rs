//! A contract file on disk.

use std::fs;
use std::path::Path;

use tool_contract_spec::document::{self, Document, LARGEST_FILE};

use crate::{Stop, report};

/// The text of a contract file. What is too large for one is not read whole.
pub(crate) fn text(path: &Path) -> Result<String, Stop> {
    let shown = path.display();
    let size = fs::metadata(path).map_err(|error| format!("error: cannot read {shown}: {error}"))?.len();
    if size > LARGEST_FILE as u64 {
        return Err(format!("error: {shown} has {size} bytes; a contract has at most {LARGEST_FILE}"));
    }
    let bytes = fs::read(path).map_err(|error| format!("error: cannot read {shown}: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("error: {shown} is not UTF-8, from its byte {at} on")
    })
}

/// The contract in a text; where it is none, the error is printed as `path`'s.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Document, Stop> {
    document::read(text).map_err(|unreadable| report::unreadable(&unreadable, text, path))
}
