//! Informers as a user meets them, in virtual time and without sockets, at a server that does what the
//! test says, or at the API server of `trimtab-apiserver`. One program, because most need the former.

mod cluster;
mod errors;
mod factory;
mod fixtures;
mod forms;
mod handlers;
mod incidents;
mod metrics;
mod model;
mod namespaces;
mod packed;
mod reflector;
mod streaming;
mod subscription;
