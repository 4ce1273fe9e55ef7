//! What the server promises, seen by its clients: one program, so that it is linked once.

mod access;
mod admission;
mod apply;
mod commits;
mod concurrency;
mod deletion;
mod field_validation;
mod fixtures;
mod forms;
mod journal;
mod levers;
mod lists;
mod load;
mod managed_fields;
mod networks;
mod objects;
mod patches;
mod refusals;
mod server;
mod subresources;
mod watches;
