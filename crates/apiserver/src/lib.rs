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
//! server.faults().compact(); // watches from an earlier version get 410 Expired
//! server.faults().cut_watches(&Filter::any().resource("configmaps"));
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! 1. One resource version counts all commits to all objects. A watch sends every commit after its version, once and in
//!    order; a write that changes nothing commits nothing.
//! 2. All pages of a list show the state of the first page. When the history no longer contains that state, the
//!    answer is 410 with a token for the rest of the present state; the states are never mixed without notice.
//! 3. [`Commits`] contain every commit, whatever faults and compaction do to watches.
//! 4. A watch is a position in the history and has no queue: a reader that is too slow gets 410, and delays neither
//!    writers nor other readers.
//! 5. With the same seed, the same start time and a paused clock, two servers give the same answers to the same
//!    requests, including UIDs and generated names.
//! 6. Dropping the server ends everything that it spawned. A request takes effect between two awaits: a request that
//!    is cancelled took effect as a whole or not at all.
//!
//! # Not here
//!
//! Discovery in protobuf (objects, lists and watches can be), the paths of OpenAPI v2, admission webhooks (use hooks, which
//! are closures), conversion of custom resources by webhooks, and the evaluation of `ValidatingAdmissionPolicy`, which is
//! only stored.
//!
//! Validation follows upstream function by function for Services, Secrets, `ConfigMap`s, Jobs, `CronJob`s, claims and
//! disruption budgets, and for the errors that controllers meet elsewhere. Not checked:
//!
//! - fields behind feature gates that are off;
//! - of a Pod, its resource claims, restart rules and stop signals in part, and in the status its addresses, claims and
//!   features; of a changed template, its ephemeral containers and metadata;
//! - of a Node, more than one Pod network, and the features in its status;
//! - of a volume, its required node affinity in part;
//! - of a definition, that `multipleOf` is positive; within an embedded object of a custom kind, its metadata in part;
//! - quantities from 2⁶³, which Go cuts.
//!
//! No warning is sent of addresses in an old form, and of the certificate of a `kubernetes.io/tls` Secret that does not fit its
//! key. Annotations of `AppArmor` are not copied into the fields that replaced them.
//!
//! # Differences from kube-apiserver
//!
//! - Every client is an administrator, unless [`ApiServerBuilder::rbac`] enables RBAC. Constrained impersonation
//!   (`impersonate:user-info`) does not exist: impersonation needs the verb `impersonate`.
//! - The message about a value of the wrong type differs where upstream's Go type is a named string or an embedded
//!   struct: messages come from OpenAPI, which has neither.
//! - OpenAPI describes the fields of the metadata alone, in upstream's words, and v2 has no paths.
//! - A `CustomResourceDefinition` is established when it is created.
//! - Services get addresses and node ports in order, not at random, and no `IPAddress` objects; nothing routes.
//!   Objects are counted against `ResourceQuota`s when they are created; upstream's controller manager counts the rest.
//! - Objects have at most 110 levels, and so do the schemas of definitions.
//! - Selectors have at most 256 requirements; the builder sets the limits of connections and of the history. Without TLS,
//!   requests that a web page can make a browser send are refused.
//! - Nothing runs in Pods: `/log` says when a container was started; `/exec` and other connections are refused.
//! - The objects of a kube-apiserver's own bookkeeping do not exist: its identity `Lease`, and the `ConfigMap` about old
//!   tokens.
//! - Watches can begin five minutes ago or at the newest 100 events of each resource, whichever is longer ago, within
//!   102,400 events and 128 MiB of former states. Lists of older states are compacted every five minutes, as upstream.
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
