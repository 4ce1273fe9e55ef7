//! Elections over a Lease in memory, in virtual time.

mod lease_server;
mod requests;
mod safety;
mod terms;
