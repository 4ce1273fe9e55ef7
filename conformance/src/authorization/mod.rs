//! The authorization differential: many users ask for many things, and a real kube-apiserver's decisions are
//! recorded. `cargo xtask conformance --server embedded --authorization` holds ours against them.

mod asks;
mod policy;
mod table;
#[cfg(test)]
mod tests;

use crate::servers::{Choice, Failure, Server};
use asks::{Ask, asks};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use kube_client::{Client, client::Body};
use policy::USERS;
use serde_json::Value;
use std::path::Path;
use table::Table;

/// The decisions of a real kube-apiserver 1.36.3.
const RECORDED: &str = include_str!("answers.txt");
/// How many requests are under way at once.
const AT_ONCE: usize = 16;

/// Asks a server everything, and compares its decisions with the recorded ones, or records
/// them in `record`; true if no cell differs.
pub(crate) async fn run(
    choice: &Choice,
    kube: Option<&Path>,
    record: Option<&Path>,
) -> Result<bool, Failure> {
    let server = Server::start_with_rbac(choice, kube).await?;
    let found = decisions(&server.client()?).await?;
    if let Some(path) = record {
        std::fs::write(path, found.to_string())?;
        println!("{} cells are recorded in {}", found.cells(), path.display());
        return Ok(true);
    }
    let differences = Table::parse(RECORDED)?.differences(&found);
    for difference in &differences {
        println!("{difference}");
    }
    println!("{} cells, {} of them differ", found.cells(), differences.len());
    Ok(differences.is_empty())
}

/// Makes the policy, and asks every request for every user.
async fn decisions(client: &Client) -> Result<Table, Failure> {
    policy::make(client).await?;
    let asks = asks();
    let mut rows = Vec::new();
    for (user, groups) in USERS {
        let answers = stream::iter(&asks).map(|ask| decision(client, user, groups, ask));
        let answers: Vec<_> = answers.buffered(AT_ONCE).collect().await;
        rows.push((user.to_owned(), answers.into_iter().collect::<Result<String, _>>()?));
    }
    Ok(Table { asks: asks.iter().map(Ask::to_string).collect(), rows })
}

/// Asks for the server's decision, in one character: see [`Table`].
async fn decision(client: &Client, user: &str, groups: &[&str], ask: &Ask) -> Result<char, Failure> {
    let mut request =
        http::Request::builder().method(&*ask.method).uri(&ask.path).header("impersonate-user", user);
    for group in groups {
        request = request.header("impersonate-group", *group);
    }
    let body = match &ask.body {
        Some((content_type, body)) => {
            request = request.header("content-type", *content_type);
            Body::from(body.to_string().into_bytes())
        }
        None => Body::empty(),
    };
    let answer = client.send(request.body(body)?).await.map_err(|error| format!("{ask}: {error}"))?;
    let code = answer.status().as_u16();
    Ok(match code {
        401 => 'u',
        403 => '-',
        200 if ask.is_list => {
            let body = answer.into_body().collect().await.map_err(|error| format!("{ask}: {error}"))?;
            let list: Value = serde_json::from_slice(&body.to_bytes())?;
            let items = list["items"].as_array().map_or(0, Vec::len);
            u32::try_from(items).ok().and_then(|items| char::from_digit(items, 10)).unwrap_or('+')
        }
        200..300 => 'o', // of a watch, nothing else is read
        _ => 'e',
    })
}
