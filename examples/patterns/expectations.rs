//! Three Pods are wanted, and the cache of Pods is 80 ms behind the server.

use std::{error::Error, time::Duration};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Client,
    api::{Api, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{from_value, json};
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{ApiServer, Filter};
use trimtab_controller::{
    Action, Controller, Error as Failed, OwnWrites, Request, Writer, cache::Store, gates,
    informer::InformerFactory,
};

#[derive(Clone)]
struct Web {
    waits: bool,
    start: Instant,
    client: Client,
    sets: Store<ReplicaSet>,
    pods: Store<Pod>,
    writes: OwnWrites,
    writer: Writer,
}

impl Web {
    async fn reconcile(self, request: Request) -> Result<Action, Failed> {
        if self.waits {
            self.writes.settled(&request.key, &self.client).await?; // else the key is parked
        }
        let Some(set) = self.sets.get(&request.key) else { return Ok(Action::done()) };
        let seen = self.pods.len();
        println!("{:>4} ms  the cache shows {seen} of 3 Pods", self.start.elapsed().as_millis());
        for _ in seen..3 {
            let pod = json!({"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
            self.writer.create(&*set, from_value::<Pod>(pod)?).await?;
        }
        Ok(Action::done())
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    for waits in [false, true] {
        println!("{} expectations:", if waits { "with" } else { "without" });
        let (server, start) = (ApiServer::start(), Instant::now());
        server.faults().lag_watches(Filter::any().resource("pods"), Duration::from_millis(80)).leave();
        let client = server.client();
        let informers = InformerFactory::new(client.clone());
        let (sets, pods) = (informers.informer::<ReplicaSet>(), informers.informer::<Pod>());
        let writes = OwnWrites::new(gates::ledger().name("web").build(), &sets).of(&pods);
        let writer = Writer::new(client.clone(), "example").own_writes(writes.clone());
        let wiring = Controller::new("web", &sets).owns(&pods).woken_by(writes.ledger());
        let (sets, pods) = (sets.store().clone(), pods.store().clone());
        let web = Web { waits, start, client, sets, pods, writes, writer };
        let controller = wiring.reconciler(move |request| web.clone().reconcile(request));

        let api = Api::<ReplicaSet>::default_namespaced(server.client());
        let set = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
        api.create(&PostParams::default(), &from_value(set)?).await?;
        let story = async {
            sleep(Duration::from_millis(5)).await;
            let patch = Patch::Merge(json!({"metadata": {"labels": {"touched": "yes"}}})); // wakes the controller
            _ = api.patch("web", &PatchParams::default(), &patch).await;
            sleep(Duration::from_secs(1)).await;
        };
        controller.run(story).await?;
        let pods = Api::<Pod>::default_namespaced(server.client()).list(&ListParams::default()).await?;
        println!("         the server has {} Pods", pods.items.len());
    }
    Ok(())
}
