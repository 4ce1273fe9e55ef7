//! Waiting, assertions and roles, each against a controller that makes it fail.

mod idle;
mod permissions;
mod world;
mod writes;
