//! The contract document: what is read, what is written, what differs.

mod comparing;
mod fuzz;
mod limits;
mod pyyaml;
mod reading;
mod samples;
mod writing;
