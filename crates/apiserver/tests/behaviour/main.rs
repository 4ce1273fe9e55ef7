//! The promises of the server to its clients: one program, so that it is linked once.

mod access;
mod admission;
mod apply;
mod commits;
mod concurrency;
mod deletion;
mod escalation;
mod faults;
mod field_validation;
mod fixtures;
mod forms;
mod limits;
mod lists;
mod load;
mod managed_fields;
mod networks;
mod objects;
mod patches;
mod refusals;
mod request_log;
mod secrets;
mod server;
mod signers;
mod subresources;
mod watches;
