//! Tests of Kubernetes controllers in virtual time: until idle, what was written, whether it settles, the Role it needs.
//!
//! ```
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube_client::{Api, api::{Patch, PatchParams, PostParams}};
//! use serde_json::json;
//! use trimtab_controller::{Action, Controller};
//! use trimtab_testing::TestCluster;
//!
//! # fn main() {
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
//! # runtime.expect("a runtime").block_on(test());
//! # }
//! async fn test() { // #[tokio::test(start_paused = true)]
//!     let cluster = TestCluster::start();
//!     let mut manager = cluster.manager("labeller").build().expect("sound settings");
//!     let maps = manager.informers().informer::<ConfigMap>();
//!     let (store, api) = (maps.store().clone(), Api::<ConfigMap>::namespaced(manager.client(), "default"));
//!     manager.controller(Controller::new("labeller", &maps).reconciler(move |request| {
//!         let (map, api) = (store.get(&request.key), api.clone());
//!         async move {
//!             if map.is_some_and(|map| map.metadata.labels.is_none()) {
//!                 let patch = Patch::Merge(json!({"metadata": {"labels": {"seen": "yes"}}}));
//!                 api.patch(request.key.name(), &PatchParams::default(), &patch).await?;
//!             }
//!             Ok(Action::done())
//!         }
//!     }));
//!     let _running = cluster.run(manager);
//!
//!     let map = serde_json::from_value(json!({"metadata": {"name": "settings"}})).expect("a ConfigMap");
//!     let maps = Api::<ConfigMap>::namespaced(cluster.client(), "default");
//!     maps.create(&PostParams::default(), &map).await.expect("created");
//!     cluster.until_idle().await; // no guess how long it takes
//!
//!     cluster.requests().assert_wrote_once();
//!     println!("{}", cluster.requests().permissions().manifest("labeller")); // the smallest roles, as YAML
//!     cluster.assert_settles().await; // reconciled again without a change: nothing is written
//! }
//! ```
//!
//! # Guarantees
//!
//! 1. [`TestCluster::until_idle`] returns only when every queue is empty, no key is in work, waits for its own writes or
//!    is due soon, and each informer has reached the last commit of its own selection, however late its watch is.
//! 2. It waits in virtual time. If it never becomes so, the test fails with the work that is left.
//! 3. A manifest of [`Permissions`](rbac::Permissions) grants what the requests needed and nothing else.
//!
//! # Not here
//!
//! Faults: [`TestCluster::server`] has [`faults`](trimtab_apiserver::ApiServer::faults). Random histories:
//! `trimtab-simulation`.

mod cluster;
mod commits;
mod observed;
pub mod rbac;
mod reconcile;
mod requests;

pub use self::{
    cluster::{NotIdle, RunningManager, TestCluster},
    reconcile::reconcile,
    requests::Requests,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
