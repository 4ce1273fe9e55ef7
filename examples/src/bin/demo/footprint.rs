//! [`Footprint`]: the objects that the demo creates in a cluster, and their deletion.

use std::{collections::HashSet, panic::resume_unwind, sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    core::v1::{Namespace, Pod},
};
use kube_client::{
    Api, Client,
    api::{DeleteParams, DynamicObject, ListParams},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use trimtab_controller::{
    cache::{Metadata, Object},
    delete_by_uid,
};

use crate::{failure::Failure, manifests::Manifest};

/// The number of Pods that are deleted at the same time.
const AT_ONCE: usize = 64;

/// The time for which a request of the controller can still arrive after its end.
const STRAGGLING: Duration = Duration::from_millis(200);

/// A handle on the created objects, the newest last.
#[derive(Clone, Default)]
pub(crate) struct Footprint {
    made: Arc<Mutex<Vec<Made>>>,
}

struct Made {
    manifest: Manifest,
    /// `None` for objects that a part of the demo creates itself, under a name that was free.
    uid: Option<String>,
}

impl Footprint {
    /// Creates the object and records it. A namespace may exist already.
    pub(crate) async fn create(
        &self,
        client: &Client,
        manifest: &Manifest,
    ) -> Result<DynamicObject, kube_client::Error> {
        let (made, client, manifest) = (self.made.clone(), client.clone(), manifest.clone());
        // The task continues when its caller is interrupted, and it holds the lock that `clean_up` waits
        // for. Otherwise an object could be created and not recorded.
        let created = tokio::spawn(async move {
            let mut made = made.lock().await;
            let created = match manifest.create(client.clone()).await {
                Err(kube_client::Error::Api(status))
                    if status.code == 409 && manifest.is_a::<Namespace>() =>
                {
                    return manifest.api(client).get(manifest.name()).await;
                }
                created => created?,
            };
            made.push(Made { manifest, uid: Some(created.metadata().uid().to_owned()) });
            Ok(created)
        });
        created.await.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))
    }

    /// Records an object that a part of the demo is about to create under a free name.
    pub(crate) async fn expect(&self, manifest: Manifest) {
        self.made.lock().await.push(Made { manifest, uid: None });
    }

    /// Deletes all recorded objects and the Pods of their sets, because there may be no garbage
    /// collector. Namespaces remain: without their controller their deletion would never end. Call this
    /// after the last creation.
    pub(crate) async fn clean_up(&self, client: &Client, limit: Duration) -> Result<(), Failure> {
        let ended = timeout(limit, async {
            let mut made = self.made.lock().await;
            while let Some(newest) = made.last() {
                newest.remove(client).await?;
                made.pop();
            }
            Ok::<_, kube_client::Error>(())
        });
        let why = match ended.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not finished within {} s", limit.as_secs()),
        };
        let left = match self.made.try_lock() {
            Ok(made) => made.iter().map(Made::describe).collect::<Vec<_>>().join(", "),
            Err(_) => "an object whose creation has no response yet".to_owned(),
        };
        Err(Failure::Cluster(format!("cleaning up: {why}; not deleted: {left}")))
    }
}

impl Made {
    fn describe(&self) -> String {
        let what = self.manifest.describe();
        if self.manifest.is_a::<ReplicaSet>() { format!("{what} and its Pods") } else { what }
    }

    async fn remove(&self, client: &Client) -> Result<(), kube_client::Error> {
        if self.manifest.is_a::<Namespace>() {
            return Ok(());
        }
        let api = self.manifest.api(client.clone());
        let only = self.uid.as_deref().map_or_else(DeleteParams::default, delete_by_uid);
        gone(api.delete(self.manifest.name(), &only.grace_period(0)).await)?;
        match (self.manifest.namespace(), &self.uid) {
            (Some(namespace), Some(uid)) if self.manifest.is_a::<ReplicaSet>() => {
                remove_pods(&Api::namespaced(client.clone(), namespace), uid).await
            }
            _ => Ok(()),
        }
    }
}

/// Deletes the Pods whose controller is the set with this UID, until no more appear.
async fn remove_pods(pods: &Api<Pod>, set: &str) -> Result<(), kube_client::Error> {
    let mut looked_again = false;
    loop {
        let found = pods.list(&ListParams::default()).await?.items;
        let own = |pod: &&_| Metadata::controller(*pod).is_some_and(|owner| owner.uid == set);
        let own: HashSet<_> =
            found.iter().map(|pod| &pod.metadata).filter(own).map(|pod| (pod.name(), pod.uid())).collect();
        if own.is_empty() && looked_again {
            return Ok(());
        }
        looked_again = own.is_empty();
        if looked_again {
            sleep(STRAGGLING).await;
        }
        let deletions = own
            .into_iter()
            .map(async |(name, uid)| gone(pods.delete(name, &delete_by_uid(uid).grace_period(0)).await));
        stream::iter(deletions).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
}

/// Ignores that an object is absent or was replaced by another one.
fn gone<T>(deleted: Result<T, kube_client::Error>) -> Result<(), kube_client::Error> {
    match deleted {
        Err(kube_client::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        deleted => deleted.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trimtab_apiserver::ApiServer;

    use super::*;

    fn manifest(object: serde_json::Value) -> Manifest {
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        let key = object.key();
        let mut manifest = match object.types.as_ref().map(|types| types.kind.as_str()) {
            Some("ReplicaSet") => Manifest::named::<ReplicaSet>(&key),
            _ => Manifest::named::<Pod>(&key),
        };
        manifest.object = object;
        manifest
    }

    fn pod(name: &str, set: Option<&str>) -> Manifest {
        let owners: Vec<_> = set
            .map(|uid| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": uid, "controller": true}))
            .into_iter()
            .collect();
        manifest(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "default", "name": name, "labels": {"app": "web"}, "ownerReferences": owners},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        }))
    }

    fn web() -> Manifest {
        let labels = json!({"app": "web"});
        manifest(json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"namespace": "default", "name": "web"},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_made_is_taken_away_and_nothing_else() {
        let server = ApiServer::builder().controllers(false).start();
        let client = server.client();
        let footprint = Footprint::default();
        let set = footprint.create(&client, &web()).await.expect("a set");
        footprint.create(&client, &pod("bare", None)).await.expect("a Pod");
        for others in [pod("own", Some(set.metadata().uid())), pod("foreign", Some("x")), pod("free", None)] {
            others.create(client.clone()).await.expect("a Pod");
        }
        footprint.clean_up(&client, Duration::from_secs(2)).await.expect("clean");
        let left = Api::<Pod>::default_namespaced(client.clone()).list(&ListParams::default()).await;
        let left: Vec<_> =
            left.expect("Pods").items.iter().map(|pod| pod.metadata().name().to_owned()).collect();
        assert_eq!(left, ["foreign", "free"]);
        assert!(web().find(client).await.expect("an answer").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_named() {
        let server = ApiServer::builder().controllers(false).start();
        let client = server.client();
        let footprint = Footprint::default();
        footprint.create(&client, &web()).await.expect("a set");
        let deaf = trimtab_apiserver::Filter::any().verb(trimtab_apiserver::Verb::Delete);
        let held = server.faults().hold(deaf);
        let left = footprint.clean_up(&client, Duration::from_secs(2)).await.expect_err("a failure");
        assert_eq!(
            left.to_string(),
            "cleaning up: not finished within 2 s; not deleted: ReplicaSet default/web and its Pods"
        );
        held.release();
    }

    /// Fails if `create` does not spawn a task.
    #[tokio::test(start_paused = true)]
    async fn a_creation_that_is_interrupted_is_cleaned_up_as_well() {
        let server = ApiServer::builder().controllers(false).start();
        let client = server.client();
        let footprint = Footprint::default();
        let creating = trimtab_apiserver::Filter::any().verb(trimtab_apiserver::Verb::Create);
        server.faults().delay(creating, Duration::from_secs(1), 1).leave();
        timeout(Duration::from_millis(100), footprint.create(&client, &web()))
            .await
            .expect_err("interrupted");
        footprint.clean_up(&client, Duration::from_secs(2)).await.expect("clean");
        assert!(web().find(client).await.expect("an answer").is_none());
    }
}
