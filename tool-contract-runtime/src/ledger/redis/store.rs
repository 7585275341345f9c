//! Redis as a store of records by version.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::{IdempotencyKey, OperationId};

use super::answer::{Parts, strange};
use super::arguments;
use super::bells::Bells;
use super::call::ScriptCall;
use super::head::Glance;
use super::keys::{self, Keys};
use super::line::Line;
use super::scripts::Scripts;
use super::tools::{KnownTool, Tools, loss};
use crate::clock::Clock;
use crate::ledger::shared::{Exchange, Exchanged, Found, Put, Store, TwinFound, Versioned};
use crate::ledger::{
    Answer, BoxFuture, Draw, Event, Fence, LedgerError, Limited, Query, Record, Twin,
};

/// The first wait between two looks where the server does not tell of changes;
/// then twice as long each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The wait between two looks where it does: what it said while the line was
/// down is lost.
const PAUSE: Duration = Duration::from_secs(1);

/// Redis as a store.
pub(super) struct RedisStore {
    pub(super) line: Line,
    pub(super) keys: Keys,
    pub(super) scripts: Scripts,
    pub(super) tools: Tools,
    pub(super) bells: Arc<Bells>,
    /// By which callers here wait; the ledger's time is the server's.
    pub(super) clock: Arc<dyn Clock>,
}

impl RedisStore {
    pub(super) async fn tool(&self, tool: &str) -> Result<Arc<KnownTool>, LedgerError> {
        self.tools.get(&self.line, &self.scripts, &self.keys, tool).await
    }

    async fn carry_out(&self, exchange: Exchange) -> Result<Exchanged, LedgerError> {
        let tool = self.tool(&exchange.id.tool).await?;
        let call = arguments::exchange(&self.scripts, &self.keys, &tool, &exchange)?;
        let draws = exchange.put.as_ref().map_or(&[][..], |put: &Put| &put.draws);
        let mut answer = self.line.run(call).await?;
        match &*answer.text()? {
            "put" => {
                let now = answer.time()?;
                tool.made(answer.number()?);
                self.bells.ring(&exchange.id);
                Ok(Exchanged::Put { now })
            }
            "limited" => {
                let now = answer.time()?;
                Ok(Exchanged::Limited { limited: limited(draws, &mut answer)?, now })
            }
            "found" => found(&exchange.id, &mut answer).map(Exchanged::Found),
            "lost" => Err(tool.lost(&self.line, &mut answer)),
            other => Err(strange(&format!("`{other}` to an exchange"))),
        }
    }

    async fn reserve(&self, count: u64) -> Result<Fence, LedgerError> {
        let call = ScriptCall::new(&self.scripts.fences, &[self.keys.ledger(), self.keys.fences()]);
        let call = call.arg(&self.tools.ledger).arg(count);
        let mut answer = self.line.run(call).await?;
        match &*answer.text()? {
            "fences" => answer.number().map(Fence),
            "lost" => Err(loss(&mut answer)?.explain(self.line.place(), "")),
            other => Err(strange(&format!("`{other}` to a request for fences"))),
        }
    }

    async fn draw_all(&self, draws: Vec<Draw>) -> Result<Result<(), Limited>, LedgerError> {
        if draws.is_empty() {
            return Ok(Ok(()));
        }
        let cells = draws.iter().map(|draw| &draw.cell);
        let keys: Vec<_> = arguments::cells(&self.keys, cells).collect();
        let words: Vec<_> = draws.iter().flat_map(|draw| arguments::draw(draw, None)).collect();
        let call = ScriptCall::new(&self.scripts.draw, &keys).arg(draws.len()).arg(words);
        let mut answer = self.line.run(call).await?;
        match &*answer.text()? {
            "drawn" => Ok(Ok(())),
            "limited" => {
                answer.time()?;
                limited(&draws, &mut answer).map(Err)
            }
            other => Err(strange(&format!("`{other}` to a draw"))),
        }
    }

    async fn events(&self, id: &OperationId) -> Result<Vec<Event>, LedgerError> {
        let tool = self.tool(&id.tool).await?;
        let keys = [tool.keys.meta(), tool.keys.operation(id), tool.keys.names()];
        let call = tool.call(&self.scripts.history, &keys).arg(keys::name(id));
        let mut answer = self.line.run(call).await?;
        match &*answer.text()? {
            "events" => {
                let mut events: Vec<Event> = Vec::new();
                while !answer.is_empty() {
                    events.push(answer.json(&format!("the history of {id}"))?);
                }
                events.sort_unstable_by_key(|event| event.seq);
                Ok(events)
            }
            "lost" => Err(tool.lost(&self.line, &mut answer)),
            other => Err(strange(&format!("`{other}` to a request for a history"))),
        }
    }

    /// Waits until the operation changes, or is found not to be moving.
    async fn await_change(&self, id: &OperationId) {
        let mut change = self.bells.listen(id);
        let Ok(tool) = self.tool(&id.tool).await else { return };
        let subscription = self.bells.subscribe(&self.line, tool.keys.changed(id), id).await;
        let first = match self.glance(&tool, id).await {
            Ok(Some(glance)) if glance.is_moving() => glance,
            _ => return,
        };
        let mut pause = if subscription.is_heard { PAUSE } else { FIRST_PAUSE };
        loop {
            tokio::select! {
                () = &mut change => {}
                () = self.clock.alarm(pause) => {}
            }
            // A bell may have rung for another operation.
            change = self.bells.listen(id);
            match self.glance(&tool, id).await {
                Ok(Some(glance)) if glance == first => {}
                _ => return,
            }
            pause = if subscription.is_heard { PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
        }
    }

    /// Looks how an operation stands.
    async fn glance(
        &self,
        tool: &KnownTool,
        id: &OperationId,
    ) -> Result<Option<Glance>, LedgerError> {
        let mut command = ::redis::cmd("HGET");
        command.arg(tool.keys.operation(id)).arg("head");
        let head: Option<String> = self.line.ask(&command).await?;
        Ok(head.and_then(|head| Glance::of(&head)))
    }
}

/// Which draw has no room, and when it has again.
fn limited(draws: &[Draw], answer: &mut Parts) -> Result<Limited, LedgerError> {
    let number: usize = answer.number()?;
    let retry_after = answer.span()?;
    let Some(draw) = number.checked_sub(1).and_then(|at| draws.get(at)) else {
        return Err(strange(&format!("that limit {number} of {} has no room", draws.len())));
    };
    Ok(Limited { cell: draw.cell.clone(), used: answer.number()?, retry_after })
}

fn found(id: &OperationId, answer: &mut Parts) -> Result<Found, LedgerError> {
    let now = answer.time()?;
    let version = answer.number()?;
    if version != 0 {
        let record: Record = answer.json(&format!("the record of {id}"))?;
        return Ok(Found { now, record: Some(Versioned { version, record }), twins: Vec::new() });
    }
    let mut twins = Vec::new();
    while !answer.is_empty() {
        let key = answer.text()?;
        let version = answer.number()?;
        let what = format!("the record of {id}'s twin `{key}`");
        let key = IdempotencyKey::new(&key)
            .map_err(|error| LedgerError::Corrupt(format!("{what}: the key: {error}")))?;
        let record = answer.json(&what)?;
        twins.push(TwinFound { version, twin: Twin { key, record } });
    }
    Ok(Found { now, record: None, twins })
}

impl Store for RedisStore {
    fn exchange(&self, exchange: Exchange) -> Answer<'_, Exchanged> {
        Box::pin(self.carry_out(exchange))
    }

    fn reserve_fences(&self, count: u64) -> Answer<'_, Fence> {
        Box::pin(self.reserve(count))
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        Box::pin(self.draw_all(draws))
    }

    fn over(&self, most: usize) -> Answer<'_, Vec<OperationId>> {
        Box::pin(self.all_over(most))
    }

    fn archive(&self, _: OperationId) -> Answer<'_, ()> {
        // A history is in nobody's way, and all is in memory wherever it is.
        Box::pin(std::future::ready(Ok(())))
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        Box::pin(async move { self.events(&id).await })
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        Box::pin(async move { self.listing(&query).await })
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            tokio::select! {
                () = self.await_change(&id) => {}
                () = self.clock.alarm(within) => {}
            }
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLedger")
            .field("at", &self.line)
            .field("prefix", &self.keys)
            .finish_non_exhaustive()
    }
}
