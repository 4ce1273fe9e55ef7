//! Tests of informers through the public interface, in virtual time and without sockets. The server is a scripted
//! one or the API server of `trimtab-apiserver`.

mod cluster;
#[cfg(feature = "connect")]
mod direct;
mod errors;
mod factory;
mod fixtures;
mod forms;
mod gzip;
mod handlers;
mod incidents;
mod malformed;
mod malformed_known;
mod metrics;
mod model;
mod namespaces;
mod reflector;
mod streaming;
mod subscription;
mod undecodable;
mod unstarted;
