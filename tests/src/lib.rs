//! Shared pieces of the whole-crate tests.
