//! Informers as a user meets them, in virtual time and without sockets, at a server that does what the
//! test says. One program, because all of them need that server.

mod factory;
mod handlers;
mod model;
mod reflector;
mod scripted;
