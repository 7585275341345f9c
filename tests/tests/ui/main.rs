//! What cargo and the compiler say to people who declare tools.

mod cases;
mod contract;
mod package;
mod pages;
