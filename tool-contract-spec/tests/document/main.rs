//! The contract document: what is read, what is written, what differs.

mod reading;
