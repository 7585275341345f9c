//! Tenants never see, replay or collide with each other.

use tool_contract::ledger::{Query, StateName};
use tool_contract::spec::key::Tenant;

use crate::stage::{Ending, Stage, id_of};
use crate::tools::{charge, post};
use crate::world::{Act, Trouble, World};

#[tokio::test]
async fn the_same_key_of_two_tenants_is_two_operations() {
    let stage = Stage::new();
    let call = |cents| charge("o".into(), cents).key("k");
    assert!(!call(1).tenant("a").call(&stage.runtime).await.unwrap().replayed());
    // No replay, no conflict, and no hint of a key made anew.
    let other = call(1).tenant("b").call(&stage.runtime).await.unwrap();
    assert_eq!((other.replayed(), other.reminted_from()), (false, None));
    assert!(!call(2).tenant("c").call(&stage.runtime).await.unwrap().replayed());
    assert!(!call(3).call(&stage.runtime).await.unwrap().replayed());
    assert!(call(1).tenant("b").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.world.effects(), 4);
}

#[tokio::test]
async fn the_trouble_of_one_is_not_the_trouble_of_another() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    charge("o".into(), 1).key("k").tenant("a").call(&stage.runtime).await.unknown();
    charge("o".into(), 1).key("k").tenant("b").call(&stage.runtime).await.unwrap();
    let of_a = stage.ledger.inner().find(id_of("a", "charge", "k")).await.unwrap();
    assert_eq!(of_a.unwrap().state.name(), StateName::Unknown);
    let of_b = Query { tenant: Some(Tenant::new("b").unwrap()), ..Query::default() };
    let listed = stage.ledger.inner().list(of_b).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].1.state.name(), StateName::Succeeded);
}

#[tokio::test]
async fn an_api_that_dedupes_on_keys_is_given_other_keys_for_other_tenants() {
    let stage = Stage::before(World::deduping());
    let names = ["a", "a/post", "a%2Fpost", "post", "@a"];
    for tenant in names {
        post("o".into()).key("k").tenant(tenant).call(&stage.runtime).await.unwrap();
    }
    post("o".into()).key("k").call(&stage.runtime).await.unwrap();
    let mut keys = stage.world.keys();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), stage.world.effects()), (6, 6));
}
