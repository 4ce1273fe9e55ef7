//! Which kinds the server serves, and what is special about each.

mod age;
mod cells;
mod column;
mod columns;
mod context;
pub(crate) mod custom;
mod defaults;
mod fields;
pub(crate) mod json_path;
mod kind;
mod kinds;
mod parts;
pub(crate) mod printer;
pub(crate) mod quantity;
pub(crate) mod route;
pub(crate) mod rules;
pub(crate) mod services;
mod table;
pub(crate) mod validation;
mod version;
pub(crate) mod warnings;

use self::cells::completed;
pub(crate) use self::{
    column::{Cell, Column},
    context::Context,
    defaults::qos_class,
    kind::{Kind, Scale, Subresource},
    kinds::Kinds,
    version::{as_stored, in_version},
};
