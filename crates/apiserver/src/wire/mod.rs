//! The forms of bodies: JSON, YAML and protobuf, which of them a client sends and takes, and the body of a response.

pub(crate) mod body;
pub(crate) mod json;
pub(crate) mod negotiate;
pub(crate) mod protobuf;
pub(crate) mod yaml;
