//! The columns of custom kinds: client-go's JSON paths.

use super::definition::Definition;
use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::site::Site;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(paths_are_client_go_s)
            .rule("Paths go down anywhere, filter, slice and unite.")
            .source("client-go: util/jsonpath"),
        case(cells_are_printed_as_go_prints)
            .rule("Values are printed as Go prints them.")
            .source("client-go: util/jsonpath, PrintResults"),
        case(a_path_that_cannot_be_read_ends_the_columns)
            .rule("A path that cannot be read is accepted, and ends the columns.")
            .source("apiextensions: tableconvertor.New"),
    ]
}

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Returns the cells of one object, for columns of text with these paths.
async fn shown(site: &Site, paths: &[&str]) -> Result<Vec<Value>, Mismatch> {
    let columns: Vec<Value> = paths
        .iter()
        .enumerate()
        .map(|(number, path)| json!({"name": format!("C{number}"), "type": "string", "jsonPath": path}))
        .collect();
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = json!({"additionalPrinterColumns": columns});
    let widgets = Definition::new(site).field("spec", free).version(version).make(site).await?;
    let spec = json!({
        "hosts": [{"name": "p", "p": 1}, {"name": "q", "p": 5, "q": true}, {"name": "r", "p": 7}],
        "http": [{"match": {"hosts": ["a", "b"]}}, {"match": {"hosts": ["c"]}}],
        "a.b/c": "dotted", "null": null, "big": 1_234_567.5, "text": "a<b",
    });
    widgets.create(site, "a", json!({"spec": spec})).await?;
    let answer = site.get_as(TABLE, &widgets.object("a")).await?.code(200)?;
    Ok(answer.list("/rows/0/cells").iter().skip(1).cloned().collect())
}

async fn paths_are_client_go_s(site: Site) -> Outcome {
    let cells = [
        ("..match.hosts", json!("[\"a\",\"b\"]")),
        (".spec.hosts[?(@.p>2)].name", json!("q")),
        (".spec.hosts[?(@.q)].name", json!("q")),
        (".spec.hosts[1:3].name", json!("q")),
        (".spec.hosts[-1:].name", json!("r")),
        (".spec.hosts[2,0].name", json!("r")),
        (".spec.http[].match.hosts", json!("[\"a\",\"b\"]")),
        (".spec['a\\.b/c']", json!("dotted")),
        (".spec.hosts[5].name", Value::Null),
        (".spec.hosts.name", Value::Null),
        (".spec.none", Value::Null),
    ];
    let found = shown(&site, &cells.each_ref().map(|(path, _)| *path)).await?;
    let expected = cells.map(|(_, cell)| cell).to_vec();
    if found != expected {
        return Err(Mismatch::new("a table", format!("{expected:?}"), format!("{found:?}")));
    }
    Ok(())
}

async fn cells_are_printed_as_go_prints(site: Site) -> Outcome {
    let cells = [
        (".spec.null", json!("<no value>")),
        (".spec.big", json!("1.2345675e+06")),
        (".spec.text", json!("a<b")),
        (".spec.hosts[0]", json!("{\"name\":\"p\",\"p\":1}")),
    ];
    let found = shown(&site, &cells.each_ref().map(|(path, _)| *path)).await?;
    let expected = cells.map(|(_, cell)| cell).to_vec();
    if found != expected {
        return Err(Mismatch::new("a table", format!("{expected:?}"), format!("{found:?}")));
    }
    Ok(())
}

async fn a_path_that_cannot_be_read_ends_the_columns(site: Site) -> Outcome {
    let found = shown(&site, &[".spec.text", ".spec[x]", ".spec.text"]).await?;
    if found != [json!("a<b")] {
        return Err(Mismatch::new("a table", "one column", format!("{found:?}")));
    }
    Ok(())
}
