//! Elections over a Lease in memory, in virtual time.

mod faults;
mod fence;
mod hooks;
mod lease_server;
mod log;
mod requests;
mod safety;
mod terms;
mod token;
mod watch;
