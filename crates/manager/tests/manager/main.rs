//! Whole processes against the in-process API server, in virtual time.

mod election;
mod failures;
mod order;
mod world;
