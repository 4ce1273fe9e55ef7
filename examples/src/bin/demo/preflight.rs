//! Checks before anything is applied: the names are free, and no other controller manages
//! ReplicaSets.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    coordination::v1::Lease,
    core::v1::{Namespace, Node, Pod},
};
use kube_client::{Api, Client, api::ListParams};
use serde_json::json;
use tokio::time::sleep;
use trimtab_controller::cache::{Metadata, Object, ObjectKey};

use crate::{
    cluster::{CLEAN_UP, Cluster, NODE},
    controller::LEASE,
    failure::Failure,
    manifests::Manifest,
    report::{convert, selects},
};

/// The time for which a set must stay unchanged to show that no other controller manages it.
const PROBE: Duration = Duration::from_secs(4);

/// The name of that set in the namespace `default`.
const PROBE_NAME: &str = "trimtab-demo-probe";

/// The UIDs of earlier Pods, which the demo ignores.
pub(crate) type Foreign = HashSet<String>;

/// Fails if an object of the demo exists already, other than a namespace.
pub(crate) async fn check(client: &Client, manifests: &[Manifest]) -> Result<Foreign, Failure> {
    let own = [
        Manifest::named::<Lease>(&ObjectKey::namespaced(LEASE.0, LEASE.1)),
        Manifest::named::<Node>(&ObjectKey::cluster_scoped(NODE)),
        probe_set(),
    ];
    for manifest in manifests.iter().chain(&own) {
        let found = manifest.find(client.clone()).await;
        let found = found.map_err(Failure::api(format_args!("looking for {}", manifest.describe())))?;
        match found {
            None => {}
            Some(found) if found.metadata().is_being_deleted() => {
                return Err(refused(format_args!("{} is being deleted", manifest.describe())));
            }
            Some(_) if manifest.is_a::<Namespace>() => {}
            Some(_) => return Err(refused(format_args!("{} already exists", manifest.describe()))),
        }
    }
    foreign_pods(client, manifests).await
}

/// Fails if there are Pods that a declared set would adopt and that the manifests do not declare.
async fn foreign_pods(client: &Client, manifests: &[Manifest]) -> Result<Foreign, Failure> {
    let mut foreign = Foreign::new();
    let namespaces: BTreeSet<_> = manifests.iter().filter_map(Manifest::namespace).collect();
    for namespace in namespaces {
        let here = |manifest: &&Manifest| manifest.namespace() == Some(namespace);
        let sets = manifests.iter().filter(here).filter(|manifest| manifest.is_a::<ReplicaSet>());
        let sets: Vec<ReplicaSet> = sets.filter_map(|manifest| convert(&manifest.object)).collect();
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let pods = pods.list(&ListParams::default()).await.map_err(Failure::api("listing Pods"))?;
        for pod in pods.items.iter().map(|pod| &pod.metadata) {
            let adopter = sets.iter().find(|set| selects(set, pod) && Metadata::controller(pod).is_none());
            if let Some(set) = adopter {
                let (pod, set) = (pod.name(), set.metadata().name());
                return Err(refused(format_args!(
                    "Pod {namespace}/{pod} already exists, and ReplicaSet {namespace}/{set} would adopt it"
                )));
            }
            foreign.insert(pod.uid().to_owned());
        }
    }
    Ok(foreign)
}

fn refused(reason: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{reason}. Nothing was applied"))
}

/// Fails if the cluster has a ReplicaSet controller: a set of one replica must stay as it was created.
pub(crate) async fn probe(cluster: &Cluster) -> Result<(), Failure> {
    let probe = probe_set();
    let created = cluster.footprint.create(&cluster.client, &probe).await;
    let created = created.map_err(Failure::api("creating a probe"))?;
    sleep(PROBE).await;
    let found = probe.find(cluster.client.clone()).await.map_err(Failure::api("reading the probe"))?;
    let pods = Api::<Pod>::default_namespaced(cluster.client.clone());
    let labelled = ListParams::default().labels(&format!("app={PROBE_NAME}"));
    let pods = pods.list(&labelled).await.map_err(Failure::api("looking for the probe's Pods"))?;
    cluster.footprint.clean_up(&cluster.client, CLEAN_UP).await?;
    let untouched = found.is_some_and(|found| found.data["status"] == created.data["status"]);
    if untouched && pods.items.is_empty() {
        return Ok(());
    }
    Err(refused("this cluster has a ReplicaSet controller of its own: it acted on a probe"))
}

fn probe_set() -> Manifest {
    let mut probe = Manifest::named::<ReplicaSet>(&ObjectKey::namespaced("default", PROBE_NAME));
    probe.object.data = json!({"spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": PROBE_NAME}},
        "template": {
            "metadata": {"labels": {"app": PROBE_NAME}},
            "spec": {"containers": [{"name": "probe", "image": "registry.example/probe:1"}]},
        },
    }});
    probe
}

#[cfg(test)]
mod tests {
    use trimtab_apiserver::ApiServer;

    use super::*;

    fn web() -> Manifest {
        let mut web = Manifest::named::<ReplicaSet>(&ObjectKey::namespaced("default", "web"));
        web.object.data = probe_set().object.data;
        web
    }

    fn pod(labels: &[(&str, &str)]) -> Manifest {
        let mut pod = Manifest::named::<Pod>(&ObjectKey::namespaced("default", "bare"));
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        pod.object.metadata.labels = Some(labels.collect());
        pod.object.data = json!({"spec": {"containers": [{"name": "bare", "image": "bare:1"}]}});
        pod
    }

    #[tokio::test(start_paused = true)]
    async fn what_exists_already_is_refused_except_namespaces() {
        let server = ApiServer::builder().controllers(false).start();
        let client = server.client();
        let namespace = Manifest::named::<Namespace>(&ObjectKey::cluster_scoped("default"));
        let declared = [namespace, web()];
        assert!(check(&client, &declared).await.expect("free").is_empty());
        web().create(client.clone()).await.expect("a set");
        let refused = check(&client, &declared).await.expect_err("a refusal");
        assert_eq!(refused.to_string(), "ReplicaSet default/web already exists. Nothing was applied");
        assert!(matches!(refused, Failure::Input(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn pods_that_were_there_are_foreign_unless_a_set_would_adopt_them() {
        let server = ApiServer::builder().controllers(false).start();
        let client = server.client();
        let bare = pod(&[]).create(client.clone()).await.expect("a Pod");
        let foreign = check(&client, &[web()]).await.expect("free");
        assert_eq!(foreign, HashSet::from([bare.metadata().uid().to_owned()]));

        let server = ApiServer::builder().controllers(false).start();
        let client = server.client();
        pod(&[("app", PROBE_NAME)]).create(client.clone()).await.expect("a Pod");
        let refused = check(&client, &[web()]).await.expect_err("a refusal").to_string();
        assert!(refused.contains("ReplicaSet default/web would adopt it"), "{refused}");
    }
}
