//! A contract file on disk.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use tool_contract_spec::document::{self, Document, LARGEST_FILE};

use crate::{Stop, report};

/// The text of a contract file. What is too large for one is not read whole.
pub(crate) fn text(path: &Path) -> Result<String, Stop> {
    let shown = path.display();
    let cannot = |error| format!("error: cannot read {shown}: {error}");
    let metadata = fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        // To open a pipe is to wait for whoever writes to it.
        let kind = if metadata.is_dir() { "a directory" } else { "a pipe or a device" };
        return Err(format!("error: {shown} is {kind}; a contract is a file"));
    }
    let size = metadata.len();
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    // It may grow meanwhile, and files that the system makes up have a size of 0.
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > LARGEST_FILE {
        let size = if size > LARGEST_FILE as u64 {
            size.to_string()
        } else {
            format!("more than {LARGEST_FILE}")
        };
        return Err(format!(
            "error: {shown} has {size} bytes; a contract has at most {LARGEST_FILE}"
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("error: {shown} is not UTF-8, from its byte {at} on")
    })
}

/// The contract in a text; where it is none, the error is printed as `path`'s.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Document, Stop> {
    document::read(text).map_err(|unreadable| report::unreadable(&unreadable, text, path))
}
