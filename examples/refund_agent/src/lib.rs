//! The example is in `main.rs` at the root of the package.
