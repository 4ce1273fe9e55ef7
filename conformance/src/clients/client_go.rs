//! client-go's own machinery, by a Go program that tells about each part of it.

use super::cluster::Cluster;
use super::{Session, Verdict, shell};
use crate::servers::Failure;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use trimtab_apiserver::ApiServer;

/// Runs the program, which prints a line of JSON for each step. `encoding` is that of typed objects: `json` or `protobuf`.
pub(super) async fn run(program: &Path, encoding: &str) -> Result<Session, Failure> {
    let cluster = Cluster::start(ApiServer::builder(), "client-go").await?;
    let mut command = Command::new(program);
    command.args(["-url", &cluster.url(), "-encoding", encoding]);
    let ran = shell::run(command, String::new()).await?;
    let mut steps = Vec::new();
    for line in ran.text.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            println!("client-go: {line}");
            continue;
        };
        let step = line["step"].as_str().unwrap_or_default().to_owned();
        let error = line["error"].as_str().unwrap_or_default();
        if !error.is_empty() {
            println!("FAILED client-go, {step}: {error}");
        }
        steps.push((step, if error.is_empty() { Verdict::Passed } else { Verdict::Failed }));
    }
    if ran.code != 0 || steps.is_empty() {
        steps.push(("the program's end".to_owned(), Verdict::Failed));
    }
    Ok(Session { client: format!("client-go, {encoding}"), steps })
}
