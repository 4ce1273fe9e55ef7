//! The cost of claiming: `cargo bench -p trimtab-ownership -- [--quick]`. The peer program
//! `xtask/peers/controller` does the first part of the work.

use std::{convert::Infallible, sync::Arc, time::Duration};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use trimtab_cache::StoreWriter;
use trimtab_ownership::{Claims, OwnerIndex, controller_reference};
use trimtab_test_support::{
    bench::{quick, report_lower},
    server,
};

const PODS: usize = 10_000;
const OWNED: usize = 500;

fn main() {
    let rounds = if quick() { 3 } else { 7 };
    report_lower("ownership/claim", "µs", best(rounds, claim));
    report_lower("ownership/adopt-1000", "s", adopt());
}

fn set(number: usize) -> ReplicaSet {
    let (name, uid) = (format!("web-{number}"), format!("uid-{number}"));
    serde_json::from_value(
        json!({"metadata": {"namespace": "default", "name": name, "uid": uid}, "spec": {"selector": {}}}),
    )
    .expect("a set")
}

fn pod(number: usize, owner: Option<usize>) -> Pod {
    let references: Vec<_> =
        owner.iter().map(|owner| controller_reference(&set(*owner)).expect("a named set")).collect();
    let set = owner.unwrap_or(0).to_string();
    serde_json::from_value(json!({"metadata": {
        "namespace": "default", "name": format!("pod-{number}"), "uid": format!("pod-{number}"), "resourceVersion": "7",
        "labels": {"app": "web", "set": set}, "ownerReferences": references}}))
    .expect("a Pod")
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Microseconds to claim 500 owned Pods of 10,000 in a namespace, with nothing to patch.
fn claim() -> f64 {
    const CLAIMS: u32 = 2000;
    let mut writer = StoreWriter::<Pod>::new();
    let index = OwnerIndex::add(writer.store());
    (0..PODS).for_each(|number| drop(writer.apply(pod(number, Some(number / OWNED)))));
    let (owner, runtime) = (set(0), runtime());
    let _entered = runtime.enter();
    let (client, _) = server::answering(|_| (500, json!("no request is needed")));
    let took = time(|| {
        runtime.block_on(async {
            for _ in 0..CLAIMS {
                let selector = "app=web,set=0".parse().expect("a selector");
                let claims = Claims::new(client.clone(), &owner, selector).expect("a named set");
                let claimed = claims.claim_from(&index).await.expect("nothing to patch");
                assert_eq!(claimed.len(), OWNED);
            }
        });
    });
    took.as_secs_f64() * 1e6 / f64::from(CLAIMS)
}

/// Seconds for 1,000 adoptions on a server that takes 20 ms for each.
fn adopt() -> f64 {
    let runtime = runtime();
    let _entered = runtime.enter();
    let client = server::client(|_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(server::json_response(200, &json!({"metadata": {}})))
    });
    let pods: Vec<_> = (0..1_000).map(|number| Arc::new(pod(number, None))).collect();
    let took = time(|| {
        runtime.block_on(async {
            let claims = Claims::new(client, &set(0), "app=web".parse().expect("a selector"))
                .expect("a named set")
                .can_adopt(|| async { Ok::<_, Infallible>(()) });
            assert_eq!(claims.claim(pods).await.expect("a willing server").len(), 1_000);
        });
    });
    took.as_secs_f64()
}

#[expect(clippy::disallowed_types, reason = "a benchmark measures real time")]
fn time(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

/// Returns the best of several rounds, so that other load on the machine does not count.
fn best(rounds: usize, measure: impl Fn() -> f64) -> f64 {
    (0..rounds).map(|_| measure()).fold(f64::INFINITY, f64::min)
}
