//! Every team has a ConfigMap, whatever fails or is missed.

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube_client::api::{Api, DeleteParams, PostParams};
use serde_json::{from_value, json};
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_controller::{
    Action, Controller,
    cache::ObjectKey,
    informer::{InformerFactory, Selection},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let server = ApiServer::start();
    let client = server.client_as("settings-controller");
    let informers = InformerFactory::new(client.clone());
    let teams = informers.selected::<Namespace>(Selection::all().labels("team".parse()?));
    let maps = informers.informer::<ConfigMap>();

    let (team_store, map_store) = (teams.store().clone(), maps.store().clone());
    let controller = Controller::new("settings", &teams)
        .watches(&maps, |event| event.key().namespace().map(ObjectKey::cluster_scoped))
        .reconciler(move |request| {
            let team = request.key.name();
            let settings = ObjectKey::namespaced(team, "settings");
            let is_missing = team_store.get(&request.key).is_some() && map_store.get(&settings).is_none();
            let api = Api::<ConfigMap>::namespaced(client.clone(), team);
            async move {
                if is_missing {
                    let at = start.elapsed().as_millis();
                    println!("{at:>4} ms  create {settings}, attempt {}", request.attempt);
                    let map = from_value(json!({"metadata": {"name": "settings"}}))?;
                    api.create(&PostParams::default(), &map).await?; // an error: retried with backoff
                }
                Ok(Action::done())
            }
        });

    // The server refuses the first two creates.
    let creates = Filter::any().user_agent("settings-controller").verb(Verb::Create);
    server.faults().refuse(creates, Refusal::unavailable(), 2).leave();
    let blue = from_value(json!({"metadata": {"name": "blue", "labels": {"team": "blue"}}}))?;
    Api::<Namespace>::all(server.client()).create(&PostParams::default(), &blue).await?;
    controller.run(sleep(Duration::from_secs(1))).await?;

    println!("{:>4} ms  stopped; a user deletes blue/settings", start.elapsed().as_millis());
    let maps = Api::<ConfigMap>::namespaced(server.client(), "blue");
    maps.delete("settings", &DeleteParams::default()).await?;
    sleep(Duration::from_secs(1)).await;
    controller.run(sleep(Duration::from_secs(1))).await?;
    println!("{:>4} ms  exists: {}", start.elapsed().as_millis(), maps.get_opt("settings").await?.is_some());
    Ok(())
}
