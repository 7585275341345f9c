//! Several calls at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::call::{Approved, Call, Keyed};
use crate::calling::{Called, Calling};
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
        let mut all = All::of(waiting);
        poll_fn(|cx| all.poll(cx)).await
    }
}

/// Calls, of which some wait, some are under way, and some have ended.
struct All<T: Tool> {
    waiting: std::iter::Enumerate<std::vec::IntoIter<Calling<T>>>,
    under_way: Vec<(usize, Calling<T>)>,
    ended: Vec<Option<Called<T>>>,
}

impl<T: Tool> All<T> {
    fn of(calls: Vec<Calling<T>>) -> Self {
        let ended = calls.iter().map(|_| None).collect();
        Self { waiting: calls.into_iter().enumerate(), under_way: Vec::new(), ended }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<Called<T>>> {
        loop {
            let free = Runtime::AT_ONCE.saturating_sub(self.under_way.len());
            self.under_way.extend(self.waiting.by_ref().take(free));
            self.poll_under_way(cx);
            let has_room = self.under_way.len() < Runtime::AT_ONCE;
            match (self.under_way.is_empty(), self.waiting.len()) {
                (true, 0) => return Poll::Ready(self.ended.drain(..).flatten().collect()),
                (_, 1..) if has_room => {}
                _ => return Poll::Pending,
            }
        }
    }

    fn poll_under_way(&mut self, cx: &mut Context<'_>) {
        let ended = &mut self.ended;
        self.under_way.retain_mut(|(place, calling)| match Pin::new(calling).poll(cx) {
            Poll::Pending => true,
            Poll::Ready(called) => {
                if let Some(slot) = ended.get_mut(*place) {
                    *slot = Some(called);
                }
                false
            }
        });
    }
}
