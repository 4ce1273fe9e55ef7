//! The reconciler of websites, and its wiring.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Service},
};
use kube_client::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;
use trimtab_controller::{
    Action, Controller, Error, Finalizer, FinalizerState, Reconcile, Request, Writer,
    cache::{ObjectKey, Store},
    condition, keys_by_index, set_condition,
};
use trimtab_events::{EventRecorder, NewEvent};
use trimtab_manager::Manager;

use crate::{
    children,
    kind::{Website, WebsiteStatus},
};

/// Keeps a website until its entry in the directory is removed.
pub const FINALIZER: &str = "example.com/directory";

/// The `ConfigMap` of a namespace that lists its websites. Nothing owns it: each website removes its own entry.
const DIRECTORY: &str = "websites";

struct Operator {
    client: Client,
    writer: Writer,
    events: EventRecorder,
    finalizer: Finalizer,
    websites: Store<Website>,
    maps: Store<ConfigMap>,
    deployments: Store<Deployment>,
    services: Store<Service>,
}

/// Adds the controller of websites to a manager.
pub fn add_to(manager: &mut Manager) {
    let (wiring, operator) = parts(manager);
    manager.controller(wiring.reconcile_by(operator));
}

/// Returns the controller without its reconciler, and the reconciler, which a simulation watches.
pub fn parts(manager: &Manager) -> (Controller<()>, impl Reconcile + use<>) {
    let informers = manager.informers();
    let websites = informers.informer::<Website>();
    let (maps, services) = (informers.informer::<ConfigMap>(), informers.informer::<Service>());
    let deployments = informers.informer::<Deployment>();
    let by_theme = websites.add_index("theme", |website: &Website| {
        let theme = website.spec.theme.as_deref()?;
        Some(ObjectKey::namespaced(&website.namespace()?, theme))
    });
    let operator = Operator {
        client: manager.client(),
        writer: Writer::new(manager.client(), "website-operator"),
        events: manager.events().clone(),
        finalizer: Finalizer::new(FINALIZER).expect("a domain and a name"),
        websites: websites.store().clone(),
        maps: maps.store().clone(),
        deployments: deployments.store().clone(),
        services: services.store().clone(),
    };
    let wiring = Controller::new("website", &websites)
        .owns(&maps)
        .owns(&deployments)
        .owns(&services)
        .watches(&maps, keys_by_index(&by_theme, |event| [event.key()]))
        .workers(4);
    (wiring, operator)
}

impl Reconcile for Operator {
    async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Error> {
        let Some(website) = self.websites.get(&request.key) else { return Ok(Action::done()) };
        let namespace = website.namespace().unwrap_or_default();
        let api: Api<Website> = Api::namespaced(self.client.clone(), &namespace);
        match self.finalizer.state(&*website) {
            FinalizerState::Missing(missing) => _ = missing.add(&api).await?, // its event comes back here
            FinalizerState::Present => self.serve(&website).await?,
            FinalizerState::CleanUp(clean_up) => {
                self.list(&website, None).await?;
                clean_up.remove(&api).await?;
            }
            FinalizerState::Removed => {}
        }
        Ok(Action::done())
    }
}

impl Operator {
    /// Brings the objects of a website to their desired state, and its status to the observed one.
    async fn serve(&self, website: &Website) -> Result<(), Error> {
        let (name, spec) = (website.name_any(), &website.spec);
        let Some(style) = self.style(website) else {
            let message = "no ConfigMap of the theme with style.css".to_owned();
            return self.report(website, 0, "ThemeMissing", message).await;
        };
        let writer = &self.writer;
        _ = writer.apply(website, children::pages(&name, spec, &style)?, &self.maps).await?;
        _ = writer.apply(website, children::service(&name)?, &self.services).await?;
        let deployment = children::deployment(&name, spec, &style)?;
        let deployment = writer.apply(website, deployment, &self.deployments).await?;
        self.list(website, Some(&format!("http://{name}"))).await?;
        let ready = deployment.object().status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
        let message = format!("{ready} of {} Pods serve the page", spec.replicas);
        let reason = if ready >= spec.replicas { "Serving" } else { "Starting" };
        self.report(website, ready, reason, message).await
    }

    /// Returns the style sheet of a website: that of its theme, or none. `None` if the theme is missing.
    fn style(&self, website: &Website) -> Option<String> {
        let Some(theme) = &website.spec.theme else { return Some(String::new()) };
        let theme = self.maps.get(&ObjectKey::namespaced(&website.namespace()?, theme))?;
        theme.data.as_ref()?.get("style.css").cloned()
    }

    /// Writes or removes the website's entry in the directory of its namespace.
    async fn list(&self, website: &Website, url: Option<&str>) -> Result<(), Error> {
        let (name, namespace) = (website.name_any(), website.namespace().unwrap_or_default());
        let directory = self.maps.get(&ObjectKey::namespaced(&namespace, DIRECTORY));
        let listed = directory.as_ref().and_then(|map| Some(map.data.as_ref()?.get(&name)?.as_str()));
        if listed == url {
            return Ok(());
        }
        let data = url.map(|url| json!({name.clone(): url}));
        let entry =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": DIRECTORY}, "data": data});
        // Each website is a field manager of its own: an apply without the entry removes it, and no other.
        let params = PatchParams::apply(&format!("website-{name}")).force();
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), &namespace);
        maps.patch(DIRECTORY, &params, &Patch::Apply(entry)).await?;
        Ok(())
    }

    /// Writes the status if it has changed, and records an Event when the website starts or stops being ready.
    async fn report(&self, site: &Website, ready: i32, reason: &str, message: String) -> Result<(), Error> {
        let old = site.status.clone().unwrap_or_default();
        let mut new = WebsiteStatus { ready_replicas: ready, ..old.clone() };
        let ready = condition("Ready", reason == "Serving", reason, &*message);
        set_condition(&mut new.conditions, site.metadata.generation, ready);
        let is_news = old.conditions.first().is_none_or(|before| before.reason != reason);
        if self.writer.patch_status(site, Some(&old), &new).await?.is_some() && is_news {
            let event = if reason == "ThemeMissing" { NewEvent::warning } else { NewEvent::normal };
            self.events.record(&site.object_ref(&()), event(reason, "Reconcile", message));
        }
        Ok(())
    }
}
