//! Tests of the controller against the in-process API server, in virtual time.

mod external;
mod finalizers;
mod incidents;
mod kube_runtime_defects;
mod lines;
mod mappers;
mod metrics;
mod queue;
mod requeue;
mod sources;
mod statuses;
mod world;
mod writer;
