//! The words of the API: verbs, subresources, requests as their URLs state them, refusals, and the metadata of objects.
//! Nothing here knows which kinds are served or what is stored.

pub(crate) mod chance;
pub(crate) mod clock;
pub(crate) mod filter;
pub(crate) mod key;
pub(crate) mod manager;
pub(crate) mod names;
pub(crate) mod object;
pub(crate) mod parameters;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod random;
pub(crate) mod request_info;
pub(crate) mod resource;
pub(crate) mod selector;
pub(crate) mod status;
pub(crate) mod subresource;
pub(crate) mod verb;
pub(crate) mod warning;
