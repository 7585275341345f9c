//! Sagas: what happens together, or is undone, whatever comes between.

mod branching;
mod budgets;
mod changing;
mod crashing;
mod ending;
mod failing;
mod happening;
mod holding;
mod recovering;
mod resolving;
mod shop;
mod yard;
