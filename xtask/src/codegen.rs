//! `cargo xtask codegen`: writes the API server's tables of the built-in kinds.

mod openapi;
mod protobuf;

use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(subcommand)]
    table: Table,
}

#[derive(Debug, Subcommand)]
enum Table {
    /// Writes the table of the kinds' types, from the OpenAPI documents of a running kube-apiserver.
    Openapi(openapi::Options),
    /// Writes the table of the kinds' protobuf fields, from the tags of their Go types; needs Go.
    Protobuf,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    match &options.table {
        Table::Openapi(options) => openapi::run(options),
        Table::Protobuf => protobuf::run(),
    }
}
