//! What the commands of people who look after ledgers share.

mod confirm;
mod desk;
pub(crate) mod find;
pub(crate) mod listing;
pub(crate) mod name;
mod open;
mod problem;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod word;

pub(crate) use confirm::confirm;
pub(crate) use desk::Desk;
pub(crate) use problem::{Kind, Problem};
