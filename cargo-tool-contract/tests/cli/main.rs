//! The command line, as somebody at a prompt meets it.

mod check;
mod decide;
mod explain;
mod shell;
