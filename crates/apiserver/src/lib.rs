//! A Kubernetes API server inside the test process: real resource versions, watches, conflicts,
//! garbage collection, and faults on demand.
//!
//! ```
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube_client::{Api, api::PostParams};
//! use trimtab_apiserver::{ApiServer, Filter};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ApiServer::start(); // no binary, no socket: ready in a millisecond
//! let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
//!
//! let map = serde_json::from_str(r#"{"metadata": {"name": "settings"}, "data": {"colour": "blue"}}"#)?;
//! let created = maps.create(&PostParams::default(), &map).await?;
//! assert_eq!(created.metadata.resource_version, Some(server.resource_version().to_string()));
//!
//! server.faults().compact(); // whoever watches from before gets 410 Expired
//! server.faults().cut_watches(&Filter::any().resource("configmaps"));
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! 1. One resource version counts all commits to all objects. A watch sends every commit after its
//!    version, once and in order; a write that changes nothing commits nothing.
//! 2. All pages of a list show the state of the first page. When history no longer reaches back to it,
//!    the answer is 410 with a token for the rest as it is now, never a silent mixture.
//! 3. [`Commits`] tell every commit, whatever faults and compaction do to the watches.
//! 4. A watch costs a place in the history and no queue: a reader that is too slow gets 410, and neither
//!    the writers nor other readers notice it.
//! 5. With one seed, one start time and a paused clock, two servers that are asked the same do the same,
//!    down to UIDs and generated names.
//! 6. Dropping the server ends everything that it spawned. What a request does, it does between two
//!    awaits: a request that is cancelled was either carried out whole or not at all.
//!
//! # Not here
//!
//! Discovery in protobuf (objects, lists and watches may be), the paths of OpenAPI v2, admission webhooks (there are hooks:
//! closures), the conversion of custom resources by webhooks, and `ValidatingAdmissionPolicy`, which is stored and judges
//! nothing. Of CEL, which definitions have rules in, `flatten` to a depth and `transformMapEntry` are missing.
//!
//! Validation follows upstream for what controllers can run into. Not checked: what only feature gates allow; `dataSource` of
//! claims; security contexts, affinities, probes and volumes of Pods beyond their required fields; a Job's failure and success
//! policies and `managedBy`; the reasons for a label's key with more than one slash; IP families against a Service's addresses;
//! warnings about addresses that are written in an old form.
//!
//! # Differences from kube-apiserver
//!
//! - Everybody is an administrator, unless [`ApiServerBuilder::rbac`] lets RBAC's objects decide. Constrained impersonation
//!   (`impersonate:user-info`) is not there: whoever impersonates needs `impersonate`.
//! - Where Go's own name for the type of a string is no plain `string`, or a struct is embedded in another, the words
//!   about a value of the wrong type differ: they come from OpenAPI, which knows neither.
//! - OpenAPI has no descriptions of built-in kinds, and v2 has no paths.
//! - A `CustomResourceDefinition` is established in the moment in which it is created.
//! - Services get addresses and node ports in order, not at random, and no `IPAddress` objects; nothing routes.
//!   `ResourceQuota`s are counted when objects are made; who counts what is left is upstream's controller manager.
//! - Objects are at most 110 levels deep, and so are definitions' schemas with all that is around them.
//! - Selectors have at most 256 requirements; other limits are those of connections and of the history, which the builder
//!   sets. Without TLS, what a web page can make a browser send is refused.
//! - Nothing runs in Pods: `/log` tells when a container was started, `/exec` and the like are refused.
//! - What a kube-apiserver writes for its own bookkeeping is not there: its identity `Lease`, and the
//!   `ConfigMap` about old tokens.
//! - Watches can begin five minutes ago and at the newest 100 events of each resource, whichever is longer ago, within
//!   102,400 events and 128 MiB of former states. Lists of older states are compacted every five minutes, as upstream's.
//!
//! # Features
//!
//! - `tls`: `ApiServer::listen_tls`, with a certificate made at the start. Off by default.
//! - `program`: the program `trimtab-apiserver`, which serves until Ctrl-C or SIGTERM; with `tls`. Off by default.

mod admission;
mod api;
mod auth;
mod bootstrap;
mod controllers;
mod faults;
mod handlers;
mod http;
mod registry;
mod server;
mod store;
mod wire;

pub use self::{
    admission::hooks::{Admission, Denied, Operation},
    api::{filter::Filter, verb::Verb},
    auth::User,
    controllers::{Kubelet, PodPlan, SeenPod},
    faults::{FaultGuard, Faults, Refusal},
    handlers::request_log::{Delivery, Exchange, RequestLog},
    server::{ApiServer, ApiServerBuilder, LoadError, Service},
    store::{
        ChangeKind,
        commits::{Commit, Commits, StoredObject},
    },
    wire::body::ResponseBody,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
