//! Calls that have nothing to do with a saga, but the keys of its steps.

use tool_contract::{Saga, saga};

use super::shop::{Act, Failed, Gather, Shop, gather, reserve};
use super::yard::{Yard, built};
use crate::world::Trouble;

/// Another saga, which one may well call with the same key.
#[saga(state(Shop))]
async fn collect(saga: Saga, items: Vec<String>) -> Result<(), Failed> {
    for item in items {
        saga.step(reserve(item)).await?;
    }
    Ok(())
}

/// A saga that failed at its second step, and cannot undo the first yet.
async fn stuck(yard: &Yard) {
    yard.shop.then("reserve b", Act::Fail(Trouble::Closed));
    yard.shop.then_times(5, "unreserve a", &Act::Fail(Trouble::Down));
    let call = gather(vec!["a".into(), "b".into()]).key("s").call(&yard.runtime);
    yard.through(call).await.unwrap_err();
}

#[tokio::test]
async fn what_others_did_with_the_key_of_a_step_is_not_undone() {
    Yard::each(async |yard| {
        stuck(&yard).await;
        yard.through(reserve("c".into()).key("s/1").call(&yard.runtime)).await.unwrap();
        let call = gather(vec!["a".into(), "b".into()]).key("s").call(&yard.runtime);
        let ended = yard.through(call).await.unwrap().into_inner().finished().unwrap_err();
        assert_eq!(ended.steps.len(), 1, "{ended:?}");
        assert_eq!(yard.shop.stands(), ["reserve c"], "{:?}", yard.shop.log());
    })
    .await;
}

#[tokio::test]
async fn what_another_saga_with_its_key_did_is_not_undone() {
    Yard::each(async |yard| {
        yard.shop.then("reserve a", Act::Fail(Trouble::Closed));
        yard.shop.then_times(5, "unreserve b", &Act::Fail(Trouble::Down));
        let first = || gather(vec!["a".into(), "b".into()]).key("s").call(&yard.runtime);
        yard.through(first()).await.unwrap_err();
        let runtime = built(yard.stage.builder().tool::<Collect>().tool::<Gather>(), &yard.shop);
        let other = collect(vec!["c".into()]).key("s").call(&runtime);
        yard.through(other).await.unwrap().into_inner().finished().unwrap();
        let undone = yard.through(first()).await.unwrap().into_inner().finished().unwrap_err();
        assert_eq!(undone.steps.len(), 1, "{undone:?}");
        assert_eq!(yard.shop.stands(), ["reserve c"], "{:?}", yard.shop.log());
    })
    .await;
}
