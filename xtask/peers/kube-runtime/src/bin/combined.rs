//! Kube's `Api`, and kube-runtime's `Recorder` and `finalizer`, in a Trimtab controller. It runs against Trimtab's API
//! server in the same process:
//!
//! ```text
//! cargo run --manifest-path xtask/peers/kube-runtime/Cargo.toml --bin combined
//! ```

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::events::v1::Event as RecordedEvent;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::runtime::controller::Action as KubeAction;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::finalizer::{self, finalizer};
use kube::{Api, Resource};
use std::sync::Arc;
use std::time::Duration;
use trimtab_apiserver::ApiServer;
use trimtab_controller::{Action, Controller, Error, Request, cache::Store, informer::InformerFactory};

const FINALIZER: &str = "example.com/cleanup";

struct Context {
    api: Api<ConfigMap>,
    recorder: Recorder,
    store: Store<ConfigMap>,
}

async fn reconcile(cx: Arc<Context>, request: Request) -> Result<Action, Error> {
    let Some(map) = cx.store.get(&request.key) else {
        return Ok(Action::done()); // deleted
    };
    // The helper adds the finalizer, calls the closure, and removes the finalizer after a clean-up.
    finalizer(&cx.api, FINALIZER, map, |event| async {
        let (reason, map) = match event {
            finalizer::Event::Apply(map) => ("Applied", map),
            finalizer::Event::Cleanup(map) => ("CleanedUp", map),
        };
        let event = Event {
            type_: EventType::Normal,
            reason: reason.to_owned(),
            note: Some(format!("{reason} by an example")),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        cx.recorder.publish(&event, &map.object_ref(&())).await?;
        Ok::<_, kube::Error>(KubeAction::await_change())
    })
    .await?;
    // kube-runtime's `Action` does not show its delay: the reconciler returns an action of Trimtab.
    Ok(Action::done())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ApiServer::start();
    let client = server.client();
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());

    let informers = InformerFactory::new(client.clone());
    let maps = informers.informer::<ConfigMap>();
    let reporter = Reporter { controller: "combined".to_owned(), instance: None };
    let recorder = Recorder::new(client.clone(), reporter);
    let cx = Arc::new(Context { api: api.clone(), recorder, store: maps.store().clone() });
    let controller =
        Controller::new("combined", &maps).reconciler(move |request| reconcile(cx.clone(), request));

    controller.run(create_and_delete(api)).await?;

    let events: Api<RecordedEvent> = Api::default_namespaced(client);
    for event in events.list(&ListParams::default()).await? {
        println!("{}", event.note.unwrap_or_default());
    }
    Ok(())
}

/// Creates an object, waits for its finalizer, deletes it, and waits until it is gone.
async fn create_and_delete(api: Api<ConfigMap>) {
    let metadata = ObjectMeta { name: Some("settings".to_owned()), ..ObjectMeta::default() };
    let map = ConfigMap { metadata, ..ConfigMap::default() };
    api.create(&PostParams::default(), &map).await.expect("the name is free");
    let current = async || api.get_opt("settings").await.expect("the server is in this process");
    while current().await.is_none_or(|map| map.metadata.finalizers.is_none()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    api.delete("settings", &DeleteParams::default()).await.expect("the object exists");
    while current().await.is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
