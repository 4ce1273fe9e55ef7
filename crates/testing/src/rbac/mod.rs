//! Permissions: those that a run of controllers used, as a manifest, and beside a committed manifest.

mod manifest;
mod permissions;
mod report;

pub use self::{
    manifest::ManifestError,
    permissions::{Permission, Permissions},
    report::RbacReport,
};
