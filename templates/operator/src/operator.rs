//! The reconciler of [`{{kind}}`] objects, and its wiring.

use std::sync::Arc;

use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube_client::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;
use trimtab_controller::{
    Action, Controller, Error, Finalizer, FinalizerNameError, FinalizerState, Request, Writer,
    cache::{ObjectKey, Store},
    condition, set_condition,
};
use trimtab_events::{EventRecorder, NewEvent};
use trimtab_manager::Manager;

use crate::kind::{{kind}};
use crate::kind::Status;

/// Keeps an object until its entry in the directory is removed.
pub const FINALIZER: &str = "{{group}}/directory";

/// The `ConfigMap` of a namespace that lists its objects. Nothing owns it, so each object removes its own entry: replace
/// it by whatever your finalizer has to clean up.
const DIRECTORY: &str = "{{kind | downcase}}s";

struct Operator {
    client: Client,
    writer: Writer,
    events: EventRecorder,
    finalizer: Finalizer,
    objects: Store<{{kind}}>,
    deployments: Store<Deployment>,
    maps: Store<ConfigMap>,
}

/// Adds the controller to a manager.
///
/// # Errors
///
/// [`FINALIZER`] is no valid name.
pub fn add_to(manager: &mut Manager) -> Result<(), FinalizerNameError> {
    let informers = manager.informers();
    let objects = informers.informer::<{{kind}}>();
    let deployments = informers.informer::<Deployment>();
    let maps = informers.informer::<ConfigMap>(); // only read: the manager starts it, too
    let operator = Arc::new(Operator {
        client: manager.client(),
        writer: Writer::new(manager.client(), "{{project-name}}"),
        events: manager.events().clone(),
        finalizer: Finalizer::new(FINALIZER)?,
        objects: objects.store().clone(),
        deployments: deployments.store().clone(),
        maps: maps.store().clone(),
    });
    let controller = Controller::new("{{kind | downcase}}", &objects)
        .owns(&deployments) // an event of a Deployment queues the key of its owner
        .workers(4)
        .reconciler(move |request| operator.clone().reconcile(request));
    manager.controller(controller);
    Ok(())
}

impl Operator {
    async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Error> {
        let Some(object) = self.objects.get(&request.key) else {
            return Ok(Action::done()); // gone, and its clean-up is done
        };
        let namespace = object.namespace().unwrap_or_default();
        let api: Api<{{kind}}> = Api::namespaced(self.client.clone(), &namespace);
        match self.finalizer.state(&*object) {
            FinalizerState::Missing(missing) => _ = missing.add(&api).await?, // its event comes back here
            FinalizerState::Present => self.deploy(&object).await?,
            FinalizerState::CleanUp(clean_up) => {
                self.list(&object, None).await?;
                clean_up.remove(&api).await?;
            }
            FinalizerState::Removed => {}
        }
        Ok(Action::done())
    }

    /// Brings the Deployment to its desired state, and the status to the observed one.
    async fn deploy(&self, object: &{{kind}}) -> Result<(), Error> {
        let deployment = deployment(object)?;
        // Sends nothing if the cache shows that nothing would change.
        let applied = self.writer.apply(object, deployment, &self.deployments).await?;
        self.list(object, Some(&object.spec.image)).await?;
        let ready = applied.object().status.as_ref();
        let ready = ready.and_then(|status| status.ready_replicas).unwrap_or(0);
        self.report(object, ready).await
    }

    /// Writes the status if it has changed, and records an Event when the object starts or stops being ready.
    async fn report(&self, object: &{{kind}}, ready: i32) -> Result<(), Error> {
        let reason = if ready >= object.spec.replicas { "Running" } else { "Starting" };
        let message = format!("{ready} of {} Pods are ready", object.spec.replicas);
        let old = object.status.clone().unwrap_or_default();
        let mut new = Status { ready_replicas: ready, ..old.clone() };
        let condition = condition("Ready", reason == "Running", reason, &*message);
        set_condition(&mut new.conditions, object.metadata.generation, condition);
        let is_news = old.conditions.first().is_none_or(|before| before.reason != reason);
        if self.writer.patch_status(object, Some(&old), &new).await?.is_some() && is_news {
            let event = NewEvent::normal(reason, "Reconcile", message);
            self.events.record(&object.object_ref(&()), event);
        }
        Ok(())
    }

    /// Writes or removes the object's entry in the directory of its namespace.
    async fn list(&self, object: &{{kind}}, image: Option<&str>) -> Result<(), Error> {
        let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
        let directory = self.maps.get(&ObjectKey::namespaced(&namespace, DIRECTORY));
        let data = directory.as_ref().and_then(|directory| directory.data.as_ref());
        if data.and_then(|data| data.get(&name)).map(String::as_str) == image {
            return Ok(());
        }
        let data = image.map(|image| json!({name.clone(): image}));
        let entry = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": DIRECTORY},
            "data": data,
        });
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), &namespace);
        // Each object is a field manager of its own: an apply without the entry removes it, and no other.
        let params = PatchParams::apply(&format!("{DIRECTORY}-{name}")).force();
        maps.patch(DIRECTORY, &params, &Patch::Apply(entry)).await?;
        Ok(())
    }
}

/// Builds the Deployment of an object.
fn deployment(object: &{{kind}}) -> serde_json::Result<Deployment> {
    let labels = json!({"{{group}}/{{kind | downcase}}": object.name_any()});
    serde_json::from_value(json!({
        "metadata": {"name": object.name_any()},
        "spec": {
            "replicas": object.spec.replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": object.spec.image}]},
            },
        },
    }))
}
