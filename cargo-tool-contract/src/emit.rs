//! `emit`: the contract file from the code.

use crate::args::Emit;
use crate::project::Package;
use crate::report::{counted, say};
use crate::{End, Stop, code, file};

pub(crate) fn run(args: &Emit) -> Result<End, Stop> {
    let package = Package::find(&args.project)?;
    let before = file::text(&package.contract).ok();
    code::overwrite(&package)?;
    let text = file::text(&package.contract)?;
    let tools = file::parse(&text, &package.contract)?.entries.len();
    let path = package.contract.display();
    let tools = counted(tools, "tool", "tools");
    let news = if before.as_ref() == Some(&text) { "unchanged" } else { "written" };
    say(&format!("{path}: {tools}, {news}"))?;
    Ok(End::Fine)
}
