//! Sagas: what happens together, or is undone, whatever comes between.

mod approving;
mod branching;
mod budgets;
mod changing;
mod crashing;
mod ending;
mod failing;
mod happening;
mod holding;
mod likeness;
mod limiting;
mod recovering;
mod resolving;
mod shop;
mod strangers;
mod yard;
