//! A server, an informer of `ConfigMap`s, and a record of the requests of a reconciler.

use std::{
    future::{Ready, pending, ready},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Namespace, Pod},
};
use kube_client::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;
use trimtab_apiserver::{ApiServer, Filter, Verb};
use trimtab_controller::{
    Action, Controller, Error, Request,
    cache::ObjectKey,
    informer::{Informer, InformerFactory},
};
use trimtab_test_support::settle;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) struct World {
    pub(crate) server: ApiServer,
    pub(crate) client: Client,
    pub(crate) informers: InformerFactory,
    pub(crate) maps: Informer<ConfigMap>,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = ApiServer::builder().request_log(true).start();
        // A name of its own in the request log, apart from the test's client.
        let client = server.client_as("controller");
        let informers = InformerFactory::new(client.clone());
        let maps = informers.informer();
        Self { server, client, informers, maps }
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.server.client(), "default")
    }

    pub(crate) async fn map(&self, name: &str) -> ConfigMap {
        self.map_of(json!({"metadata": {"name": name}})).await
    }

    pub(crate) async fn map_of(&self, map: Value) -> ConfigMap {
        let map: ConfigMap = serde_json::from_value(map).expect("a ConfigMap");
        let namespace = map.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let api = Api::namespaced(self.server.client(), &namespace);
        api.create(&PostParams::default(), &map).await.expect("created")
    }

    pub(crate) async fn namespace(&self, name: &str) {
        let api: Api<Namespace> = Api::all(self.server.client());
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a Namespace");
        api.create(&PostParams::default(), &namespace).await.expect("created");
    }

    /// Creates a Pod with the given metadata.
    pub(crate) async fn pod(&self, metadata: Value) -> Pod {
        let pod = json!({"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let pod: Pod = serde_json::from_value(pod).expect("a Pod");
        self.api().create(&PostParams::default(), &pod).await.expect("created")
    }

    pub(crate) async fn patch(&self, name: &str, patch: Value) -> ConfigMap {
        let patch = Patch::Merge(patch);
        self.api::<ConfigMap>().patch(name, &PatchParams::default(), &patch).await.expect("patched")
    }

    pub(crate) async fn touch(&self, name: &str, value: &str) {
        self.patch(name, json!({"data": {"touched": value}})).await;
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.api::<ConfigMap>().delete(name, &DeleteParams::default()).await.expect("deleted");
    }

    /// Returns the number of writes that the controller's client has sent.
    pub(crate) fn writes(&self) -> usize {
        let exchanges = self.server.request_log().matching(&Filter::any().user_agent("controller"));
        exchanges.iter().filter(|one| !matches!(one.verb, Verb::Get | Verb::List | Verb::Watch)).count()
    }
}

/// An owner reference of a controller.
pub(crate) fn owned_by(map: &ConfigMap) -> Value {
    json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "controller": true,
        "name": map.metadata.name, "uid": map.metadata.uid,
    }])
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

/// Runs the controller while the story goes on.
pub(crate) async fn during<T>(controller: &Controller, story: impl Future<Output = T>) -> T {
    let told = tokio::select! {
        biased;
        ended = controller.run(pending()) => panic!("ended: {ended:?}"),
        told = story => told,
    };
    settle(MS).await; // the workers of the dropped run end
    told
}

/// Runs the controller for a period of virtual time.
pub(crate) async fn run_for(controller: &Controller, period: Duration) {
    during(controller, settle(period)).await;
}

/// The requests of a reconciler, with their times.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(Request, Instant)>>>);

impl Log {
    pub(crate) fn record(&self, request: &Request) {
        self.0.lock().push((request.clone(), Instant::now()));
    }

    /// Returns a reconciler that records its requests and returns `done`.
    pub(crate) fn done(&self) -> impl Fn(Request) -> Ready<Result<Action, Error>> + use<> {
        self.returning(|_| Ok(Action::done()))
    }

    /// Returns a reconciler that records its requests and returns the result of a function.
    pub(crate) fn returning<F>(&self, result: F) -> impl Fn(Request) -> Ready<Result<Action, Error>> + use<F>
    where
        F: Fn(&Request) -> Result<Action, Error> + Send + Sync + 'static,
    {
        let log = self.clone();
        move |request| {
            log.record(&request);
            ready(result(&request))
        }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.0.lock().iter().map(|(request, _)| request.clone()).collect()
    }

    /// Returns the names of the reconciled objects, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().iter().map(|(request, _)| request.key.name().to_owned()).collect()
    }

    /// Returns the milliseconds between one reconcile and the next.
    pub(crate) fn intervals(&self) -> Vec<u128> {
        self.0.lock().windows(2).map(|pair| (pair[1].1 - pair[0].1).as_millis()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}
