//! Several calls at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::call::{Approved, Call, Keyed};
use crate::calling::Called;
use crate::runtime::Runtime;
use crate::tool::Tool;

impl Runtime {
    /// How many calls [`call_all`](Runtime::call_all) has under way at most.
    pub const AT_ONCE: usize = 256;

    /// Makes several calls of one tool at once, and answers in their order.
    ///
    /// What is asked of a ledger at once it admits and settles together, in one
    /// commit or one round trip: a hundred calls cost little more than one. At
    /// most [`AT_ONCE`](Runtime::AT_ONCE) are under way at a time. For calls of
    /// different tools use `tokio::join!`, which comes to the same.
    ///
    /// Each call is admitted, limited and recorded by itself, and one that fails
    /// stops no other. Dropping the future treats each call as dropping its own.
    ///
    /// ```
    /// # use tool_contract_runtime as tool_contract;
    /// # use tool_contract::{Call, Runtime, Tool, call::{Approved, Keyed}};
    /// # async fn show<T: Tool, K: Keyed<T>, A: Approved<T>>(
    /// #     runtime: Runtime,
    /// #     reserve: impl Fn(&str) -> Call<T, K, A>,
    /// # ) {
    /// let reserved = runtime.call_all(["seat-1", "seat-2"].map(|seat| reserve(seat))).await;
    /// assert_eq!(reserved.len(), 2);
    /// # }
    /// ```
    pub async fn call_all<T: Tool, K: Keyed<T>, A: Approved<T>>(
        &self,
        calls: impl IntoIterator<Item = Call<T, K, A>>,
    ) -> Vec<Called<T>> {
        let waiting: Vec<_> = calls.into_iter().map(|call| call.call(self)).collect();
        all(waiting, Self::AT_ONCE).await
    }
}

/// Waits until each has ended, of which so many are under way at a time; gives what
/// they came to, in their order.
pub(crate) async fn all<F: Future + Unpin>(futures: Vec<F>, at_once: usize) -> Vec<F::Output> {
    let mut all = All::of(futures, at_once);
    poll_fn(|cx| all.poll(cx)).await
}

/// Futures, of which some wait, some are under way, and some have ended.
struct All<F: Future> {
    at_once: usize,
    waiting: std::iter::Enumerate<std::vec::IntoIter<F>>,
    under_way: Vec<(usize, F)>,
    ended: Vec<Option<F::Output>>,
}

impl<F: Future + Unpin> All<F> {
    fn of(futures: Vec<F>, at_once: usize) -> Self {
        let ended = futures.iter().map(|_| None).collect();
        Self { at_once, waiting: futures.into_iter().enumerate(), under_way: Vec::new(), ended }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<F::Output>> {
        loop {
            let free = self.at_once.saturating_sub(self.under_way.len());
            self.under_way.extend(self.waiting.by_ref().take(free));
            self.poll_under_way(cx);
            let has_room = self.under_way.len() < self.at_once;
            match (self.under_way.is_empty(), self.waiting.len()) {
                (true, 0) => return Poll::Ready(self.ended.drain(..).flatten().collect()),
                (_, 1..) if has_room => {}
                _ => return Poll::Pending,
            }
        }
    }

    fn poll_under_way(&mut self, cx: &mut Context<'_>) {
        let ended = &mut self.ended;
        self.under_way.retain_mut(|(place, future)| match Pin::new(future).poll(cx) {
            Poll::Pending => true,
            Poll::Ready(output) => {
                if let Some(slot) = ended.get_mut(*place) {
                    *slot = Some(output);
                }
                false
            }
        });
    }
}
