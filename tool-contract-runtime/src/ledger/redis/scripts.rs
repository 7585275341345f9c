//! The scripts, each one atomic step of the store.

use ::redis::Script;

use crate::ledger::Twin;
use crate::ledger::shared::Put;

/// The scripts, as they are sent to the server.
pub(super) struct Scripts {
    pub(super) begin_ledger: Script,
    pub(super) register: Script,
    pub(super) begin_tool: Script,
    pub(super) fences: Script,
    pub(super) exchange: Script,
    /// The same, with draws.
    pub(super) exchange_drawing: Script,
    pub(super) draw: Script,
    pub(super) history: Script,
    pub(super) list: Script,
}

const TIME: &str = include_str!("scripts/time.lua");
const LIMITS: &str = include_str!("scripts/limits.lua");
const TOOL: &str = include_str!("scripts/tool.lua");

/// Time as a test tells it, in the last argument.
#[cfg(test)]
const TOLD_TIME: &str = "local function now() return tonumber(ARGV[#ARGV]), 0 end\n";

impl Scripts {
    /// Scripts that live by the server's clock.
    pub(super) fn new() -> Self {
        Self::with(TIME)
    }

    /// Scripts that are told the time.
    #[cfg(test)]
    pub(super) fn told() -> Self {
        Self::with(TOLD_TIME)
    }

    /// Those that calls need.
    pub(super) fn all(&self) -> [&Script; 5] {
        [&self.register, &self.fences, &self.exchange, &self.exchange_drawing, &self.draw]
    }

    fn with(time: &str) -> Self {
        let script = |parts: &[&str]| Script::new(&parts.concat());
        let bounds =
            format!("local LOOK_BACK, OLDEST = {}, {}\n", Twin::LOOK_BACK, Put::OLDEST.as_millis());
        let exchange = [time, TOOL, &bounds, include_str!("scripts/exchange.lua")].concat();
        Self {
            begin_ledger: script(&[include_str!("scripts/begin_ledger.lua")]),
            register: script(&[include_str!("scripts/register.lua")]),
            begin_tool: script(&[include_str!("scripts/begin_tool.lua")]),
            fences: script(&[time, include_str!("scripts/fences.lua")]),
            // What draws nothing is spared the functions that draw.
            exchange: script(&[&exchange]),
            exchange_drawing: script(&[LIMITS, &exchange]),
            draw: script(&[time, LIMITS, include_str!("scripts/draw.lua")]),
            history: script(&[TOOL, include_str!("scripts/history.lua")]),
            list: script(&[time, TOOL, include_str!("scripts/list.lua")]),
        }
    }
}
