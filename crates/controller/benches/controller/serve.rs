//! The API server of a run, in a process of its own, and the changes of its objects.
//!
//! It obeys commands, which are Leases with annotations: `changes` and `rate` change objects one after the other, the
//! name of a resource in `refuse` makes all requests for it fail.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use http::{Request, Uri};
use kube_client::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use trimtab_apiserver::{Admission, ApiServer, Denied, Filter, Operation, Refusal};

use crate::{Failure, option, samples::now};

/// The step between the objects of two changes: it visits all objects before it repeats one, and no two neighbours in a
/// row.
const STRIDE: usize = 7_919;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// The path of each kind of `many`, and the fields of its objects that the server requires.
const KINDS: [(&str, &str, &str); 10] = [
    (CONFIG_MAPS, "v1/ConfigMap", "{}"),
    (
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        "discovery.k8s.io/v1/EndpointSlice",
        r#"{"addressType": "IPv4", "endpoints": []}"#,
    ),
    ("/apis/coordination.k8s.io/v1/namespaces/default/leases", "coordination.k8s.io/v1/Lease", "{}"),
    ("/api/v1/namespaces/default/limitranges", "v1/LimitRange", r#"{"spec": {"limits": []}}"#),
    (
        "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
        "networking.k8s.io/v1/NetworkPolicy",
        r#"{"spec": {"podSelector": {}}}"#,
    ),
    (
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        "policy/v1/PodDisruptionBudget",
        r#"{"spec": {"selector": {}}}"#,
    ),
    ("/api/v1/namespaces/default/resourcequotas", "v1/ResourceQuota", r#"{"spec": {}}"#),
    (
        "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
        "rbac.authorization.k8s.io/v1/Role",
        r#"{"rules": []}"#,
    ),
    ("/api/v1/namespaces/default/secrets", "v1/Secret", "{}"),
    ("/api/v1/namespaces/default/serviceaccounts", "v1/ServiceAccount", "{}"),
];

/// Serves until it is killed. Prints its address.
pub(crate) async fn run(scenario: &str) -> Result<(), Failure> {
    let objects = option("objects")?;
    let server = ApiServer::builder().controllers(false).mutating("sent", set_sent).start();
    for file in files_to_load() {
        server.load(&file).await?;
    }
    if scenario == "idle" {
        // The namespace of an operator's Lease.
        server.load_text("{apiVersion: v1, kind: Namespace, metadata: {name: website-system}}").await?;
    }
    let client = server.client();
    if scenario == "many" {
        create_kinds(&client, objects).await?;
    } else {
        for number in 0..objects {
            write(&client, http::Method::POST, CONFIG_MAPS, &config_map(number, &[])).await?;
        }
    }
    let mut commits = server.commits();
    let address = server.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("http://{address}");
    while let Some(commit) = commits.next().await {
        if commit.resource == "leases.coordination.k8s.io" {
            obey(&server, &client, objects, &commit.object["metadata"]["annotations"]).await?;
        }
    }
    Ok(())
}

async fn obey(server: &ApiServer, client: &Client, objects: usize, command: &Value) -> Result<(), Failure> {
    if let Some(resource) = command["refuse"].as_str() {
        let filter = Filter::any().resource(resource);
        server.faults().refuse(filter.clone(), Refusal::forbidden(), usize::MAX).leave();
        server.faults().cut_watches(&filter);
    }
    let number = |name: &str| command[name].as_str().and_then(|value| value.parse::<u32>().ok());
    match (number("changes"), number("rate")) {
        (Some(changes), Some(rate)) => change(client, objects, changes, rate).await,
        _ => Ok(()), // another command, or the Lease of an operator
    }
}

/// Changes objects `rate` times a second, and at once when it is late.
async fn change(client: &Client, objects: usize, changes: u32, rate: u32) -> Result<(), Failure> {
    let begun = Instant::now();
    for number in 0..changes {
        sleep_until(begun + Duration::from_secs(1) * number / rate).await;
        let object = number as usize * STRIDE % objects;
        let mut fields = vec![("sent", "")];
        if number + 1 == changes {
            fields.push(("last", "true"));
        }
        let path = format!("{CONFIG_MAPS}/{}", name(object));
        write(client, http::Method::PUT, &path, &config_map(object, &fields)).await?;
    }
    let (took, due) = (begun.elapsed(), Duration::from_secs(1) * changes / rate);
    if took > due.mul_f64(1.1) {
        eprintln!("the server made {changes} changes in {took:.1?} instead of {due:.1?}");
    }
    Ok(())
}

/// An admission hook that sets the time of a change. It runs right before the object is validated and stored.
fn set_sent(admission: &mut Admission<'_>) -> Result<(), Denied> {
    if admission.operation != Operation::Update || admission.resource != "configmaps" {
        return Ok(());
    }
    if let Some(sent) = admission.object.as_mut().and_then(|object| object.pointer_mut("/data/sent")) {
        *sent = now().to_string().into();
    }
    Ok(())
}

async fn create_kinds(client: &Client, objects: usize) -> Result<(), Failure> {
    for (path, kind, fields) in KINDS {
        let (api_version, kind) = kind.rsplit_once('/').ok_or("a kind has a version")?;
        let mut object: Value = serde_json::from_str(fields)?;
        object["apiVersion"] = api_version.into();
        object["kind"] = kind.into();
        for number in 0..objects {
            object["metadata"] = json!({"name": name(number), "annotations": {"text": text(500)}});
            write(client, http::Method::POST, path, &object).await?;
        }
    }
    Ok(())
}

/// A ConfigMap of 1 KB with these further fields of its data.
fn config_map(number: usize, fields: &[(&str, &str)]) -> Value {
    let mut data: serde_json::Map<_, _> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    data.insert("text".to_owned(), text(560).into());
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name(number)}, "data": data})
}

fn name(number: usize) -> String {
    format!("object-{number:06}")
}

fn text(length: usize) -> String {
    "0123456789abcdef".chars().cycle().take(length).collect()
}

async fn write(client: &Client, method: http::Method, path: &str, object: &Value) -> Result<(), Failure> {
    let request = Request::builder().method(method).uri(path.parse::<Uri>()?);
    let request = request.header("content-type", "application/json").body(object.to_string().into_bytes())?;
    client.request_text(request).await?;
    Ok(())
}

/// The files after each `--load`.
fn files_to_load() -> Vec<PathBuf> {
    let arguments: Vec<_> = std::env::args().collect();
    let files = arguments.windows(2).filter(|pair| pair[0] == "--load");
    files.map(|pair| PathBuf::from(&pair[1])).collect()
}
