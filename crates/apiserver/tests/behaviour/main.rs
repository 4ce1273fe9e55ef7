//! What the server promises, seen by its clients: one program, so that it is linked once.

mod commits;
mod concurrency;
mod deletion;
mod fixtures;
mod forms;
mod journal;
mod levers;
mod lists;
mod objects;
mod patches;
mod refusals;
mod server;
mod subresources;
mod watches;
