//! What cargo and the compiler make of whole packages.

mod contract;
mod package;
mod pages;
