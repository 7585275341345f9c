//! The macros of [`tool-contract`](https://docs.rs/tool-contract); use them
//! from there.
//!
//! Each is read, then judged, then written out, in files of these names:
//! `parse` knows tokens, `validate` asks the rulebook of the specification and
//! compares with the contract file, `generate` knows what the runtime wants.

mod contract;
mod contract_file;
mod findings;
mod library;
mod outcome;
mod place;
mod tool;

use proc_macro::TokenStream;

/// Makes a function safe to hand to an agent.
///
/// ```
/// use tool_contract::ledger::MemoryLedger;
/// use tool_contract::{Cx, Done, Runtime, ToolError, tool};
///
/// #[derive(Debug, thiserror::Error, ToolError)]
/// pub enum PaymentError {
///     #[error("the provider is busy")]
///     #[outcome(retryable_failure(rate_limited))]
///     Busy,
///     #[error("no answer after the request was sent")]
///     #[outcome(side_effect_unknown)]
///     NoAnswer,
/// }
///
/// /// Charge the card on file for an order.
/// #[tool(
///     side_effect = "write",
///     idempotent,
///     retry(max = 3, on = "retryable"),
///     rollback = "refund_card",
/// )]
/// pub async fn charge_card(
///     cx: &Cx,
///     /// The order that is paid for.
///     order_id: String,
///     cents: u64,
///     #[arg(ignore)] memo: String,
/// ) -> Result<String, PaymentError> {
///     // Hand `cx.idempotency_key()` to the provider, if it takes one.
///     Ok(format!("{order_id}: {cents} ({memo}), attempt {}", cx.attempt()))
/// }
///
/// /// What undoes it.
/// async fn refund_card(done: Done<ChargeCard>) -> Result<(), PaymentError> {
///     let _ = (done.args.order_id, done.output, done.key);
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder().ledger(MemoryLedger::new()).build()?;
/// let call = |memo: &str| charge_card("order-17".into(), 4_200, memo.into()).key("order-17/charge");
/// let first = call("monthly").call(&runtime).await?;
/// let again = call("monthly fee").call(&runtime).await?;
/// assert!(again.replayed() && *first == *again);
/// # Ok(())
/// # }
/// ```
///
/// The function keeps its name and its arguments and returns a `Call`, which
/// does nothing until `.call(&runtime)` is awaited. The body cannot be reached
/// around the contract, not even from the body itself. Beside the function
/// stands a type of its name in `CamelCase` that holds its arguments and
/// implements `Tool`.
///
/// # The function
///
/// It is free, has a body, and is neither generic nor `const`, `unsafe` or
/// `extern`. Async or not, it returns a `Result`, by whatever alias, whose
/// error implements `ToolError`. Arguments and output own their data and
/// implement `Serialize`, `DeserializeOwned`, `JsonSchema` and `Send`;
/// arguments also `Clone`. Types in the signature are as public as the
/// function.
///
/// The doc comment is what the model is told of the tool. `#[cfg]` below the
/// attribute is about all that is generated, lint levels too; other attributes
/// stay with the body.
///
/// # The attribute
///
/// | key | values | where it is left out |
/// |---|---|---|
/// | `side_effect` | `"read"`, `"write"`, `"destructive"`: what it does to the world | an error |
/// | `idempotent` | `idempotent` · `idempotent = false` · `idempotent(key = "{order_id}", by = "ledger")`: whether and how a repetition is harmless (below) | an error on what changes something |
/// | `retry` | `retry(max = 3, on = "retryable")`: after which failures it is tried again (below) | one attempt |
/// | `timeout` | `"30s"`, for one attempt | 30 s |
/// | `ttl` | `"24h"` · `ttl(window = "30d", sliding)`: how long a finished key replays its result | 24 h |
/// | `rollback` | `"path::to::function"` · `"manual_only"` · `"none"`: what undoes it, `async fn(Done<Type>) -> Result<(), E>` | an error on what changes something |
/// | `reconcile` | `"path::to::function"` · `reconcile(with = "..", settle = "10s")`: finds out what happened, `async fn(Asked<Type>) -> Result<Option<Output>, E>` | a person finds out; `settle` is 10 s |
/// | `confirm` | `confirm(by = "human", ttl = "15m", quorum = 1)`: who says yes to the very call | an error on what is destructive |
/// | `rate_limit` | `rate_limit(per_tool = "100/s", per_tenant = "20/min", per_user = "10/h", per_workflow = "50")`; also `/d` | no limit |
/// | `concurrency` | `concurrency(per_tool = 4, per_tenant = 2, per_user = 1, per_workflow = 1)`: how many run at a time, from claim to settlement and no longer than the lease; 1 to 1,000; not on a read | no limit |
/// | `breaker` | `breaker(failures = 5, cooldown = "30s")`: after so many outcomes in a row that are unavailable or unknown, calls are refused until one tries; held by each runtime for itself | none; 5 and 30 s where it is bare |
/// | `in_flight` | `"wait"`, `"reject"`: a second call while the first runs | `"wait"` |
/// | `remint` | `"warn"`, `"reject"`, `"replay"`: the same operation under another key | `"warn"` |
/// | `state` | `state(Type, ..)`: what `cx.state::<Type>()` may take from the runtime | nothing |
/// | `allow` | `allow(TC0105, ..)`: warnings and advice that are settled | nothing |
/// | `name` | the tool's name, as models and the contract know it | the function's |
/// | `args` | the name of the generated type | the function's, in `CamelCase` |
/// | `version` | the contract's version, part of every operation's hash: where it rises, old keys conflict | 1 |
/// | `crate` | where this library is found | `::tool_contract` |
///
/// Durations are an integer and `ms`, `s`, `m`, `h` or `d`. Paths may be
/// written bare, `rollback = refund_card`, so that editors can follow them.
///
/// In `idempotent`: bare, the caller gives the key; `key` derives it from the
/// arguments that it names. `by` says who keeps a repetition harmless:
///
/// | `by` | |
/// |---|---|
/// | `"ledger"` | this library's record of the key; the default |
/// | `"downstream"` | the called API, to which the body hands `cx.idempotency_key()` |
/// | `"nature"` | nobody has to: a repetition has no further effect |
///
/// In `retry`:
///
/// | key | | where it is left out |
/// |---|---|---|
/// | `max` | attempts in one call | an error |
/// | `on` | `"retryable"`, or a list of `"rate_limited"`, `"unavailable"`, `"lock_timeout"`, `"network"`, `"other"`; `"side_effect_unknown"` where a repetition is harmless by itself | an error |
/// | `backoff` | `"exponential"`, `"constant"` | `"exponential"` |
/// | `base`, `cap` | the first wait, and the longest | 200 ms, 10 s |
/// | `jitter` | `"full"`, `"none"` | `"full"` |
/// | `budget` | how long attempts and waits may take together | no bound but the call's deadline |
/// | `max_total` | attempts for one key, over all calls of it | 10, or `max` if that is more |
///
/// # The parameters
///
/// | | |
/// |---|---|
/// | a first one of type `&Cx` | no argument: it tells the body of its call |
/// | `/// ..` | what the model is told of the argument, as its `description` in the JSON Schema; also the documentation of the generated type's field |
/// | `#[arg(ignore)]` | no part of the operation's hash: for text that a model words anew each time. Who approves a call approves this, too |
/// | `#[arg(secret)]` | hashed under a key of the runtime, and never stored or logged in clear |
///
/// # Errors
///
/// Every mistake is reported at the token that is wrong, several together,
/// with the code of the rule: `cargo tool-contract explain TC0004` prints its
/// page. Warnings are those of the lint `deprecated`, because a macro has no
/// other; `#[allow(deprecated)]` on the function silences them, and so does
/// `allow(..)` in the attribute.
///
/// Where the package has a contract file, the attribute is compared with it:
/// see [`contract!`](macro@contract).
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(tool::Kind::Tool, attribute.into(), &item.into()).into()
}

/// Makes an async function a durable workflow: its steps together happen, or are
/// undone.
///
/// ```
/// use tool_contract::ledger::MemoryLedger;
/// use tool_contract::{Done, Runtime, Saga, StepError, ToolError, saga, tool};
///
/// #[derive(Debug, thiserror::Error, ToolError)]
/// pub enum ShopError {
///     #[error("sold out")]
///     #[outcome(permanent_failure)]
///     SoldOut,
/// }
///
/// #[tool(side_effect = "write", idempotent, rollback = "put_back")]
/// async fn reserve(item: String) -> Result<u64, ShopError> {
///     if item == "lamp" { Ok(17) } else { Err(ShopError::SoldOut) }
/// }
///
/// async fn put_back(done: Done<Reserve>) -> Result<(), ShopError> {
///     let _ = (done.args.item, done.output);
///     Ok(())
/// }
///
/// #[tool(side_effect = "write", idempotent, rollback = "none")]
/// async fn charge(cents: u64) -> Result<u64, ShopError> {
///     Ok(cents)
/// }
///
/// #[tool(side_effect = "write", idempotent, retry(max = 3, on = "retryable"), rollback = "none")]
/// async fn ship(reserved: u64) -> Result<String, ShopError> {
///     Ok(format!("parcel-{reserved}"))
/// }
///
/// /// Reserves, charges and ships.
/// #[saga]
/// async fn place_order(
///     saga: Saga,
///     items: Vec<String>,
///     cents: u64,
/// ) -> Result<String, StepError<ShopError>> {
///     let mut last = 0;
///     for item in items {
///         last = saga.step(reserve(item)).await?;
///     }
///     let (_, saga) = saga.pivot(charge(cents)).await?;
///     saga.step(ship(last)).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder().ledger(MemoryLedger::new()).linked_tools().build()?;
/// let order = place_order(vec!["lamp".into()], 4_200).key("order-7").call(&runtime).await?;
/// assert_eq!(order.into_inner().finished()?, "parcel-17");
///
/// let order = place_order(vec!["lamp".into(), "rug".into()], 900).key("order-8");
/// let undone = order.call(&runtime).await?.into_inner().finished().unwrap_err();
/// assert!(undone.error.contains("sold out"));
/// assert_eq!(undone.steps[0].tool, "reserve");
/// # Ok(())
/// # }
/// ```
///
/// A saga is a tool: it is called, keyed, recorded and replayed like one, and agents
/// can call it. Its output on record is an `Outcome`, finished or undone. When its
/// process dies, calling it again with its key, or `Runtime::recover`, goes on where it
/// stood.
///
/// # The function
///
/// It is an `async fn` whose first parameter is `saga: Saga`; its other parameters,
/// its output and its doc comment are those of a [`tool`](macro@tool). Its error need
/// only be `Display`; `?` takes a step's `StepError` where there is a `From`.
///
/// It runs again from the top whenever it goes on, with the results of the steps that
/// happened. So what decides the order and the arguments of its steps must come from
/// its own arguments and from its steps: a clock, a random number or a file that is
/// read beside them may be another the next time. Where the steps differ from those
/// on record, nothing of them runs, and the saga rests before a person.
///
/// # The steps
///
/// | | which tools |
/// |---|---|
/// | `saga.step(call)` | before the pivot: those whose `rollback` is a function, and reads |
/// | `saga.pivot(call)` | any; gives the saga that goes only forward |
/// | `saga.step(call)` | after the pivot: reads, and writes that are retried or whose repetition is harmless |
/// | `saga.all((a, b))` | steps at once; each comes to its end |
///
/// # When it fails
///
/// If the function returns an error before the pivot, what is not known is found out,
/// and then each step that happened is undone, newest first. A rollback function may be
/// called more than once, so it has to be idempotent; `done.idempotency_key()` is for
/// an API that dedupes. After the pivot nothing is undone, and a step that fails is
/// tried again whenever the saga is called; one that fails for good waits for a person.
///
/// A step that people approve, `confirm(by = "human")`, asks them by itself and takes no
/// `.approved(..)`: the saga rests until they have said something. A no is a failure of
/// the step.
///
/// A step that failed before the pivot stays failed, whoever goes on with the saga; and
/// while one is unknown no other begins, for nobody knows yet which way is right: return
/// its error. What can go neither forward nor back rests as an unknown outcome that names
/// the step; once a person has resolved that, it goes on.
///
/// # The attribute
///
/// `timeout` (10 m, for one run of the function), `ttl` (30 d), `rate_limit`,
/// `in_flight`, `state`, `allow`, `name`, `args`, `version` and `crate`, as for a
/// [`tool`](macro@tool). At most 1,000 steps; the key has at most 251 bytes, and its
/// steps have that key with `/0`, `/1`, .. after it.
#[proc_macro_attribute]
pub fn saga(attribute: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(tool::Kind::Saga, attribute.into(), &item.into()).into()
}

/// Says of each way to fail what it means for the world.
///
/// ```
/// use std::time::Duration;
/// use tool_contract::{Cause, OutcomeClass, ToolError};
///
/// #[derive(Debug, thiserror::Error, ToolError)]
/// pub enum PaymentError {
///     #[error("card declined: {0}")]
///     #[outcome(validation_failure)]
///     Declined(String),
///     #[error("the provider is busy")]
///     #[outcome(retryable_failure(rate_limited))]
///     Busy {
///         #[retry_after]
///         after: Option<Duration>,
///     },
///     #[error("no answer after the request was sent")]
///     #[outcome(side_effect_unknown)]
///     NoAnswer,
///     #[error(transparent)]
///     #[outcome(transparent)]
///     Account(#[from] AccountClosed),
/// }
///
/// #[derive(Debug, thiserror::Error, ToolError)]
/// #[error("the account is closed")]
/// #[outcome(permanent_failure)]
/// pub struct AccountClosed;
///
/// let busy = PaymentError::Busy { after: Some(Duration::from_secs(2)) }.outcome();
/// assert_eq!(busy.class, OutcomeClass::RetryableFailure(Cause::RateLimited));
/// assert_eq!(busy.retry_after, Some(Duration::from_secs(2)));
///
/// let closed = PaymentError::from(AccountClosed).outcome();
/// assert_eq!(closed.class, OutcomeClass::PermanentFailure);
/// ```
///
/// `#[outcome(..)]` stands on every variant, or on the struct:
///
/// | class | what it says |
/// |---|---|
/// | `validation_failure` | the request was wrong; nothing happened |
/// | `permission_denied` | the caller may not do this; nothing happened |
/// | `retryable_failure(cause)` | nothing happened, and a repetition may help; `rate_limited`, `unavailable`, `lock_timeout`, `network`, `other` |
/// | `retryable_failure`, `retryable` | the same with the cause `other` |
/// | `permanent_failure` | nothing happened, and a repetition cannot help |
/// | `side_effect_unknown` | it may have happened |
/// | `transparent` | what the error in the only field says |
///
/// A class is believed: if it cannot be sworn to that nothing happened, it is
/// `side_effect_unknown`.
///
/// `#[retry_after]` marks a field, a `Duration` or an `Option` of one, with the
/// delay that the other side asked for. A retry that the policy allows waits at
/// least as long, and the caller is told where there is none; it never allows a
/// retry. A transparent error has that of the error inside.
///
/// `#[outcome(crate = path)]` on the type says where this library is found.
#[proc_macro_derive(ToolError, attributes(outcome, retry_after))]
pub fn tool_error(item: TokenStream) -> TokenStream {
    outcome::expand(item.into()).into()
}

/// Makes the contract file binding for the package.
///
/// ```ignore (it needs the package's contract file)
/// tool_contract::contract!();
/// ```
///
/// # The file
///
/// It is `tool-contract.yaml` beside `Cargo.toml`, or what the manifest names:
///
/// ```toml
/// [package.metadata.tool-contract]
/// file = "contracts/shop.yaml"
/// ```
///
/// # What fails
///
/// | | where |
/// |---|---|
/// | the file is missing, cannot be read, or breaks a rule | the compiler, here |
/// | a policy or a description differs, or the file lacks the tool | the compiler, at the `#[tool]`, with or without `contract!` once there is a file (see below) |
/// | a tool that no longer exists, or a JSON Schema that differs | the test `tool_contract_is_current`, which this generates: only a program that links every tool can know. So let CI run `cargo test` |
///
/// # Where it stands
///
/// Once per package, in the crate that links all of its tools: in `lib.rs`; in
/// `main.rs`, where the program has tools of its own beside those of its
/// library. A program links a library only if it names something of it: one
/// that uses its tools does, else `use shop as _;` is enough.
///
/// # Writing the file
///
/// `TOOL_CONTRACT=overwrite cargo test` and `cargo tool-contract emit` write it
/// from the code, every default written out, and the same code to the same
/// bytes. Nothing is compared meanwhile. An ordinary build never writes. Both run
/// the test that `contract!` generates: a crate without one writes nothing.
///
/// # Without it
///
/// A crate that has tools and no `contract!` is compared with the file, too; but
/// cargo compiles it again for a file that it read before, and not for one that is
/// new. So a file that was just made says nothing until the crate is next compiled.
/// With `contract!` there is no such gap: a missing file is an error.
///
/// `contract!(crate = path)` says where this library is found.
#[proc_macro]
pub fn contract(input: TokenStream) -> TokenStream {
    contract::expand(input.into()).into()
}
