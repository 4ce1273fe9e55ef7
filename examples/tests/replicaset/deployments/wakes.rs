//! The events that wake a Deployment: those of its sets, of orphans that it selects, and of Pods if it is recreated.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex},
};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::Pod,
};
use kube_client::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use trimtab_apiserver::ApiServer;
use trimtab_controller::{
    Action, Error, Reconcile, Request, cache::Object, informer::InformerFactory,
    ownership::controller_reference,
};
use trimtab_events::EventRecorder;
use trimtab_examples::deployment::Deployments;
use trimtab_test_support::settle;

use super::cluster::{SECOND, deployment, template};

/// A reconciler that notes the names of the Deployments that were woken.
#[derive(Debug, Clone, Default)]
struct Woken(Arc<Mutex<BTreeSet<String>>>);

impl Reconcile for Woken {
    async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Error> {
        self.0.lock().expect("no panic").insert(request.key.name().to_owned());
        Ok(Action::done())
    }
}

/// A server with the controller's events, and nothing that acts on them.
struct Site {
    server: ApiServer,
    woken: Woken,
    _controller: JoinSet<()>,
}

impl Site {
    async fn start() -> Self {
        let server = ApiServer::start();
        let client = server.client();
        let informers = InformerFactory::new(client.clone());
        let woken = Woken::default();
        let controller = Deployments::new(client, &informers, &EventRecorder::discarding()).wiring();
        let controller = controller.reconcile_by(woken.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { controller.run(pending()).await.expect("it runs until it is dropped") });
        Self { server, woken, _controller: tasks }
    }

    fn sets(&self) -> Api<ReplicaSet> {
        Api::default_namespaced(self.server.client())
    }

    fn pods(&self) -> Api<Pod> {
        Api::default_namespaced(self.server.client())
    }

    /// Creates a Deployment whose selector is the label `app`.
    async fn deployment(&self, name: &str, app: &str, strategy: &str) -> Deployment {
        let mut template = template("v1");
        template["metadata"]["labels"]["app"] = app.into();
        let selector = json!({"matchLabels": {"app": app}});
        let more = json!({"selector": selector, "template": template, "strategy": {"type": strategy}});
        let mut object = deployment(1, &more);
        object["metadata"]["name"] = name.into();
        let object = serde_json::from_value(object).expect("a Deployment");
        let api = Api::<Deployment>::default_namespaced(self.server.client());
        api.create(&PostParams::default(), &object).await.expect("created")
    }

    async fn set(&self, name: &str, app: &str, owner: Option<&Deployment>) -> ReplicaSet {
        let labels = json!({"app": app});
        let set = json!({
            "metadata": {"name": name, "labels": labels, "ownerReferences": owners(owner)},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]},
            }},
        });
        let set = serde_json::from_value(set).expect("a ReplicaSet");
        self.sets().create(&PostParams::default(), &set).await.expect("created")
    }

    async fn patch_set(&self, name: &str, metadata: Value) {
        let patch = Patch::Merge(json!({"metadata": metadata}));
        self.sets().patch(name, &PatchParams::default(), &patch).await.expect("patched");
    }

    async fn pod(&self, name: &str, owner: &ReplicaSet) {
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": "x"}, "ownerReferences": owners(Some(owner))},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        });
        let pod = serde_json::from_value(pod).expect("a Pod");
        self.pods().create(&PostParams::default(), &pod).await.expect("created");
    }

    /// Returns the Deployments that were woken since the last call.
    async fn woken(&self) -> Vec<String> {
        settle(5 * SECOND).await;
        std::mem::take(&mut *self.woken.0.lock().expect("no panic")).into_iter().collect()
    }
}

fn owners<O: Object>(owner: Option<&O>) -> Value
where
    <O::Kind as kube_client::Resource>::DynamicType: Default,
{
    owner.map_or(Value::Null, |owner| json!([controller_reference(owner).expect("an owner")]))
}

#[tokio::test(start_paused = true)]
async fn the_event_of_a_set_wakes_its_deployment_or_all_that_select_the_orphan() {
    let site = Site::start().await;
    let first = site.deployment("first", "web", "RollingUpdate").await;
    let second = site.deployment("second", "web", "RollingUpdate").await;
    site.deployment("stranger", "other", "RollingUpdate").await;
    assert_eq!(site.woken().await, ["first", "second", "stranger"]);

    // Two sets that match both, each of one Deployment.
    site.set("of-first", "web", Some(&first)).await;
    assert_eq!(site.woken().await, ["first"], "added");
    site.set("of-second", "web", Some(&second)).await;
    assert_eq!(site.woken().await, ["second"], "added");
    site.patch_set("of-first", json!({"annotations": {"note": "x"}})).await;
    assert_eq!(site.woken().await, ["first"], "updated");

    site.set("orphan", "web", None).await;
    assert_eq!(site.woken().await, ["first", "second"], "an orphan");
    site.set("nobodys", "none", None).await;
    assert!(site.woken().await.is_empty(), "nobody selects it");
    site.patch_set("nobodys", json!({"labels": {"app": "web"}})).await;
    assert_eq!(site.woken().await, ["first", "second"], "an orphan with new labels");

    site.patch_set("of-first", json!({"ownerReferences": owners(Some(&second))})).await;
    assert_eq!(site.woken().await, ["first", "second"], "another owner");
    site.patch_set("of-first", json!({"ownerReferences": null})).await;
    assert_eq!(site.woken().await, ["first", "second"], "released");

    site.sets().delete("of-second", &DeleteParams::default()).await.expect("deleted");
    assert_eq!(site.woken().await, ["second"], "deleted");
    site.sets().delete("orphan", &DeleteParams::default()).await.expect("deleted");
    assert_eq!(site.woken().await, ["first", "second"], "upstream wakes nobody; such a sync writes nothing");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_pod_wakes_a_deployment_that_is_recreated_and_no_other() {
    let site = Site::start().await;
    for (name, strategy) in [("recreated", "Recreate"), ("rolled", "RollingUpdate")] {
        let owner = site.deployment(name, name, strategy).await;
        let set = site.set(&format!("{name}-1"), name, Some(&owner)).await;
        let orphan = site.set(&format!("{name}-orphan"), "none", None).await;
        site.woken().await;
        for (pod, owner) in [("gone", &set), ("ended", &set), ("last", &set), ("strange", &orphan)] {
            site.pod(&format!("{name}-{pod}"), owner).await;
        }
        assert!(site.woken().await.is_empty(), "Pods that begin");
        let expected = if strategy == "Recreate" { vec![name] } else { vec![] };
        let at_once = DeleteParams::default().grace_period(0);
        for (pod, expected) in [("gone", &expected[..]), ("last", &expected[..]), ("strange", &[])] {
            site.pods().delete(&format!("{name}-{pod}"), &at_once).await.expect("deleted");
            assert_eq!(site.woken().await, expected, "{pod} of {}", owner.name_any());
        }
        let ended = Patch::Merge(json!({"status": {"phase": "Failed"}}));
        let ended = site.pods().patch_status(&format!("{name}-ended"), &PatchParams::default(), &ended).await;
        ended.expect("patched");
        assert_eq!(site.woken().await, expected, "a Pod that has ended");
    }
}
