//! `cargo xtask conformance`: compares our implementations with upstream's.
//!
//! The suites of the API server and of the informer are programs of their own, which this command builds and runs.

mod clients;
mod controllers;
mod definitions;
mod differential;
mod featuregate;
mod informer;
mod options;
mod server;

use crate::failure::Failure;
pub(crate) use options::Options;
pub(crate) use server::{VERSION, kube};
use std::process::ExitCode;

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    match &options.server {
        Some(server) => server::run(server, options),
        None if options.differential => differential::run(options),
        None if options.definitions => definitions::run(options),
        None if options.informer => informer::run(options.kubeconfig.as_deref()),
        None if options.controllers => controllers::run(options),
        None if options.clients => clients::run(options),
        None => featuregate::run(options.cases, options.seed.unwrap_or(1)),
    }
}
