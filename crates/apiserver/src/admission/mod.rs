//! Admission: what a write passes between the rules of its kind: the hooks of tests, the built-in plug-ins, and quota.

pub(crate) mod hooks;
mod limits;
pub(crate) mod plugins;
pub(crate) mod quota;
