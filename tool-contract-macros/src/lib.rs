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
/// ```ignore
/// /// Charge the card on file for an order.
/// #[tool(
///     side_effect = "write",
///     idempotent,
///     retry(max = 3, on = "retryable"),
///     rollback = "refund_card",
/// )]
/// pub async fn charge_card(cx: &Cx, order_id: String, cents: u64) -> Result<Receipt, PaymentError> {
///     provider(cx).charge(&order_id, cents, cx.idempotency_key()).await
/// }
///
/// async fn refund_card(done: Done<ChargeCard>) -> Result<(), PaymentError> { /* .. */ }
///
/// let receipt = charge_card("order-17".into(), 4_200).key("order-17/charge").call(&runtime).await?;
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
/// arguments also `Clone`. A first parameter of type `&Cx` is no argument.
///
/// The doc comment is what the model is told; doc comments on parameters
/// become those of the generated type's fields. `#[cfg]` below the attribute
/// is about all that is generated, lint levels too; other attributes stay with
/// the body.
///
/// # The attribute
///
/// | key | values | where it is left out |
/// |---|---|---|
/// | `side_effect` | `"read"`, `"write"`, `"destructive"` | an error |
/// | `idempotent` | `idempotent` · `idempotent = false` · `idempotent(key = "{order_id}", by = "ledger")`; also by `"downstream"` or `"nature"` | an error on what changes something |
/// | `retry` | `retry(max = 3, on = "retryable")`; also `max_total`, `backoff`, `base`, `cap`, `jitter`, `budget` | one attempt |
/// | `timeout` | `"30s"`, for one attempt | 30 s |
/// | `ttl` | `"24h"` · `ttl(window = "30d", sliding)` | 24 h |
/// | `rollback` | `"path::to::function"` · `"manual_only"` · `"none"` | an error on what changes something |
/// | `reconcile` | `"path::to::function"` · `reconcile(with = "..", settle = "10s")` | a person finds out |
/// | `confirm` | `confirm(by = "human", ttl = "15m", quorum = 1)` | an error on what is destructive |
/// | `rate_limit` | `rate_limit(per_tool = "100/s", per_tenant = "20/min", per_user = "10/h", per_workflow = "50")` | no limit |
/// | `in_flight` | `"wait"`, `"reject"` | `"wait"` |
/// | `remint` | `"warn"`, `"reject"`, `"replay"` | `"warn"` |
/// | `state` | `state(Type, ..)`: what `cx.state::<Type>()` may take | nothing |
/// | `allow` | `allow(TC0105, ..)`: warnings and advice that are settled | nothing |
/// | `name`, `args`, `version`, `crate` | the tool's name, the type's name, the contract's version, where this library is found | the function's, in `CamelCase`, 1, `::tool_contract` |
///
/// Paths may be written bare, `rollback = refund_card`, so that editors can
/// follow them. Arguments may be marked `#[arg(ignore)]` (no part of the
/// operation's hash) or `#[arg(secret)]` (hashed, and never stored or logged
/// in clear).
///
/// # Errors
///
/// Every mistake is reported at the token that is wrong, several together,
/// with the code of the rule: `cargo tool-contract explain TC0004` prints its
/// page. Warnings are those of the lint `deprecated`, because a macro has no
/// other; `#[allow(deprecated)]` on the function silences them, and so does
/// `allow(..)` in the attribute.
///
/// Where the package has a contract file, the attribute is compared with it.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attribute.into(), &item.into()).into()
}

/// Says of each way to fail what it means for the world.
///
/// ```ignore
/// #[derive(Debug, thiserror::Error, ToolError)]
/// pub enum PaymentError {
///     #[error("card declined: {0}")]
///     #[outcome(validation_failure)]
///     Declined(String),
///     #[error("provider is busy")]
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
///     Shop(ShopError),
/// }
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
/// A field marked `#[retry_after]`, a `Duration` or an `Option` of one, is the
/// delay that the other side asked for. `#[outcome(crate = path)]` on the type
/// says where this library is found.
#[proc_macro_derive(ToolError, attributes(outcome, retry_after))]
pub fn tool_error(item: TokenStream) -> TokenStream {
    outcome::expand(item.into()).into()
}

/// Makes the contract file binding for the crate.
///
/// ```ignore
/// tool_contract::contract!();
/// ```
///
/// The file is `tool-contract.yaml` beside `Cargo.toml`, or what
/// `[package.metadata.tool-contract] file = ".."` names. That it is missing,
/// cannot be read or breaks a rule is a compile error; that it says otherwise
/// than an attribute is one too, at the attribute. What only a program that
/// links every tool can know (tools that no longer exist, schemas) a test finds
/// out, which this generates.
///
/// `TOOL_CONTRACT=overwrite cargo test` and `cargo tool-contract emit` write
/// the file from the code. An ordinary build never does.
///
/// `contract!(crate = path)` says where this library is found.
#[proc_macro]
pub fn contract(input: TokenStream) -> TokenStream {
    contract::expand(input.into()).into()
}
