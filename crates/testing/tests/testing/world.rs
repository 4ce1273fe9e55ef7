//! A controller that copies a `ConfigMap` to a Secret, and its cluster.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_controller::{Action, Controller};
use trimtab_manager::Manager;
use trimtab_testing::TestCluster;

/// A controller that applies a Secret for each ConfigMap, if `is_idempotent` only when it is missing.
pub(crate) fn copier(cluster: &TestCluster, is_idempotent: bool) -> Manager {
    add_copier(cluster.manager("copier").build().expect("sound settings"), is_idempotent)
}

pub(crate) fn add_copier(mut manager: Manager, is_idempotent: bool) -> Manager {
    let maps = manager.informers().informer::<ConfigMap>();
    let secrets = manager.informers().informer::<Secret>();
    let (maps_store, store) = (maps.store().clone(), secrets.store().clone());
    let client = manager.client();
    manager.controller(Controller::new("copier", &maps).reconciler(move |request| {
        let is_missing = store.get(&request.key).is_none();
        let exists = maps_store.get(&request.key).is_some();
        let namespace = request.key.namespace().unwrap_or_default();
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        async move {
            if exists && (is_missing || !is_idempotent) {
                let runs = if is_idempotent { 0 } else { request.key.to_string().len() };
                let copy = json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": request.key.name()},
                    "stringData": {"copied": runs.to_string()},
                });
                let params = PatchParams::apply("copier").force();
                api.patch(request.key.name(), &params, &Patch::Apply(copy)).await?;
            }
            Ok(Action::done())
        }
    }));
    manager
}

pub(crate) async fn create_map(cluster: &TestCluster, name: &str) {
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap");
    let maps: Api<ConfigMap> = Api::default_namespaced(cluster.client());
    maps.create(&PostParams::default(), &map).await.expect("created");
}
