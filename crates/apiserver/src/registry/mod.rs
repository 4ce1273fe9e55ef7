//! The registry: the served kinds and the rules of each. A folder is an API group, a file in it a kind.

mod admissionregistration;
mod age;
mod apiextensions;
mod apiregistration;
mod apps;
mod authentication;
mod authorization;
mod autoscaling;
mod batch;
mod built_in;
mod cells;
pub(crate) mod certificates;
mod column;
mod context;
mod coordination;
mod core;
pub(crate) mod custom;
mod defaults;
mod discovery;
mod events;
mod fields;
mod flowcontrol;
pub(crate) mod json_path;
mod kind;
mod kinds;
mod networking;
mod node;
mod parts;
mod policy;
pub(crate) mod printer;
pub(crate) mod quantity;
mod rbac;
mod resource;
pub(crate) mod route;
pub(crate) mod rules;
mod scheduling;
mod storage;
mod storagemigration;
pub(crate) mod strategy;
mod validation;
mod version;
pub(crate) mod warnings;

pub(crate) use self::{
    column::{Cell, Column},
    context::Context,
    core::service::addresses,
    defaults::qos_class,
    kind::{Kind, Scale, Subresource},
    kinds::Kinds,
    strategy::{MetadataCheck, Strategy},
    version::{as_stored, in_version},
};
