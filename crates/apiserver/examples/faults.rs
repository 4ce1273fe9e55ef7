//! A create whose response is lost: the client sees an error, and the object exists. Needs no cluster.
//!
//! `cargo run -p trimtab-apiserver --example faults` prints:
//!
//! ```text
//! create failed: ServiceError: the reply was lost (fault)
//! again: 409 AlreadyExists
//! settings exists, with 1 entry
//! create configmaps: no response
//! create configmaps: 409
//! get configmaps: 200
//! ```

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{Api, Error, api::PostParams};
use trimtab_apiserver::{ApiServer, Filter, Verb};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ApiServer::builder().request_log(true).start();
    let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
    let map = serde_json::from_str(r#"{"metadata": {"name": "settings"}, "data": {"colour": "blue"}}"#)?;

    let creates = Filter::any().verb(Verb::Create).resource("configmaps");
    server.faults().lose_reply(creates, 1).leave();
    if let Err(error) = maps.create(&PostParams::default(), &map).await {
        println!("create failed: {error}");
    }
    if let Err(Error::Api(status)) = maps.create(&PostParams::default(), &map).await {
        println!("again: {} {}", status.code, status.reason);
    }
    let entries = maps.get("settings").await?.data.map_or(0, |data| data.len());
    println!("settings exists, with {entries} entry");

    for exchange in server.request_log().matching(&Filter::any().resource("configmaps")) {
        let code = exchange.code.map_or("no response".to_owned(), |code| code.to_string());
        println!("{} configmaps: {code}", exchange.verb.word());
    }
    Ok(())
}
