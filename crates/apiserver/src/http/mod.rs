//! The HTTP layer: what a request asks for, and in which form it is answered.

pub(crate) mod about;
pub(crate) mod age;
pub(crate) mod body;
mod discovery;
pub(crate) mod encoding;
pub(crate) mod gzip;
pub(crate) mod head;
mod health;
pub(crate) mod manager;
pub(crate) mod negotiate;
mod openapi;
pub(crate) mod parameters;
pub(crate) mod protobuf;
pub(crate) mod query;
pub(crate) mod request_info;
pub(crate) mod route;
pub(crate) mod selector;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod warning;
