//! The work of a cluster by itself, and the information that clients get: controllers, kubelet, custom
//! kinds, discovery and tables.

mod beginning;
mod created;
mod custom_resources;
mod custom_schemas;
mod discovery;
mod eviction;
mod fixtures;
mod garbage;
mod kinds;
mod kubelet;
mod namespaces;
mod quota;
mod rules;
mod services;
mod tables;
