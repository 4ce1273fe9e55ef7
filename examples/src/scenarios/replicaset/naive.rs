//! A ReplicaSet controller that trusts its cache: the first version of most controllers.

use std::{future::pending, sync::Arc};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api, Client,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use trimtab_controller::{
    Action, Controller, Error,
    cache::{Metadata, Object},
    informer::InformerFactory,
    ownership::{OwnerIndex, controller_reference},
};
use trimtab_simulation::Process;

use super::MAX_BACKOFF;
use crate::replicaset::PodView;

/// Runs the controller.
pub(super) async fn run(process: Process) -> Result<(), String> {
    let (client, informers) =
        (process.client(), InformerFactory::builder(process.client()).seed(process.seed()).build());
    let (sets, pods) = (informers.informer::<ReplicaSet>(), informers.informer::<PodView>());
    let (store, by_owner) = (sets.store().clone(), OwnerIndex::add(pods.store()));
    let controller = Controller::new("naive", &sets).owns(&pods).max_backoff(MAX_BACKOFF);
    let controller = controller.reconciler(move |request| {
        let set = store.get(&request.key);
        let (client, by_owner) = (client.clone(), by_owner.clone());
        async move {
            if let Some(set) = set.filter(|set| !set.metadata().is_being_deleted()) {
                let pods = by_owner.controlled_by(set.metadata().uid());
                let live: Vec<_> = pods.into_iter().filter(|pod| !pod.metadata.is_being_deleted()).collect();
                step(&client, &set, &live).await?;
            }
            Ok(Action::done())
        }
    });
    controller.run(pending()).await.map_err(|error| error.to_string())
}

/// Creates or deletes the difference between `replicas` and the Pods in the cache.
async fn step(client: &Client, set: &ReplicaSet, live: &[Arc<PodView>]) -> Result<(), Error> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), set.metadata().namespace().unwrap_or_default());
    let wanted = usize::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
    for _ in live.len()..wanted {
        let template = set.spec.template.clone().unwrap_or_default();
        let metadata = json!({
            "generateName": format!("{}-", set.metadata().name()),
            "labels": template.metadata.unwrap_or_default().labels,
            "ownerReferences": [controller_reference(set)?],
        });
        let metadata = serde_json::from_value(metadata)?;
        pods.create(&PostParams::default(), &Pod { metadata, spec: template.spec, status: None }).await?;
    }
    for pod in live.iter().skip(wanted) {
        pods.delete(&pod.metadata.name, &DeleteParams::default()).await?;
    }
    Ok(())
}
