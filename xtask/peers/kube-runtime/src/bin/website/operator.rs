//! The custom kind and the reconciler of websites.

use crate::children;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::finalizer::{self, finalizer};
use kube::{Api, Client, CustomResource, Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub const NAME: &str = "website-operator";
const FINALIZER: &str = "example.com/directory";
/// The `ConfigMap` of a namespace that lists its websites.
const DIRECTORY: &str = "websites";

pub type Error = finalizer::Error<kube::Error>;

/// The desired state of a website.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize)]
#[kube(group = "example.com", version = "v1", kind = "Website", namespaced)]
#[kube(status = "WebsiteStatus", schema = "disabled")]
pub struct WebsiteSpec {
    pub html: String,
    pub replicas: i32,
    pub theme: Option<String>,
}

/// The observed state of a website.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebsiteStatus {
    #[serde(default)]
    pub ready_replicas: i32,
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

pub struct Operator {
    pub client: Client,
    pub events: Recorder,
}

pub async fn reconcile(website: Arc<Website>, operator: Arc<Operator>) -> Result<Action, Error> {
    let api = operator.api::<Website>(&website);
    finalizer(&api, FINALIZER, website, |event| async {
        match event {
            finalizer::Event::Apply(website) => operator.serve(&website).await?,
            finalizer::Event::Cleanup(website) => operator.list(&website, None).await?,
        }
        Ok::<_, kube::Error>(Action::await_change())
    })
    .await
}

pub fn retry(_: Arc<Website>, _: &Error, _: Arc<Operator>) -> Action {
    Action::requeue(Duration::from_secs(5))
}

impl Operator {
    fn api<K>(&self, website: &Website) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &website.namespace().unwrap_or_default())
    }

    /// Brings the objects of a website to their desired state, and its status to the observed one.
    async fn serve(&self, website: &Website) -> Result<(), kube::Error> {
        let Some(style) = self.style(website).await? else {
            let message = "no ConfigMap of the theme with style.css".to_owned();
            return self.report(website, 0, "ThemeMissing", message).await;
        };
        let (name, params) = (website.name_any(), PatchParams::apply(NAME).force());
        let pages = children::pages(website, &style);
        self.api::<ConfigMap>(website).patch(&format!("{name}-pages"), &params, &Patch::Apply(pages)).await?;
        let service = children::service(website);
        self.api::<Service>(website).patch(&name, &params, &Patch::Apply(service)).await?;
        let deployment = Patch::Apply(children::deployment(website, &style));
        let deployment = self.api::<Deployment>(website).patch(&name, &params, &deployment).await?;
        self.list(website, Some(&format!("http://{name}"))).await?;
        let ready = deployment.status.and_then(|status| status.ready_replicas).unwrap_or(0);
        let reason = if ready >= website.spec.replicas { "Serving" } else { "Starting" };
        let message = format!("{ready} of {} Pods serve the page", website.spec.replicas);
        self.report(website, ready, reason, message).await
    }

    /// The style sheet of a website: that of its theme, or none. `None` if the theme is missing.
    async fn style(&self, website: &Website) -> Result<Option<String>, kube::Error> {
        let Some(theme) = &website.spec.theme else { return Ok(Some(String::new())) };
        let theme = self.api::<ConfigMap>(website).get_opt(theme).await?;
        Ok(theme.and_then(|theme| theme.data?.remove("style.css")))
    }

    /// Writes or removes the website's entry in the directory of its namespace.
    async fn list(&self, website: &Website, url: Option<&str>) -> Result<(), kube::Error> {
        let (name, api) = (website.name_any(), self.api::<ConfigMap>(website));
        let directory = api.get_opt(DIRECTORY).await?;
        let listed = directory.as_ref().and_then(|map| Some(map.data.as_ref()?.get(&name)?.as_str()));
        if listed == url {
            return Ok(());
        }
        let data = url.map(|url| json!({name.clone(): url}));
        let entry: Value =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": DIRECTORY}, "data": data});
        let params = PatchParams::apply(&format!("website-{name}")).force();
        api.patch(DIRECTORY, &params, &Patch::Apply(entry)).await?;
        Ok(())
    }

    /// Writes the status if it has changed, and publishes an Event when the website starts or stops being ready.
    async fn report(
        &self,
        website: &Website,
        ready_replicas: i32,
        reason: &str,
        message: String,
    ) -> Result<(), kube::Error> {
        let old = website.status.clone().unwrap_or_default();
        let before = old.conditions.first();
        let status = if reason == "Serving" { "True" } else { "False" };
        let since =
            before.filter(|before| before.status == status).map(|before| &before.last_transition_time);
        let ready = Condition {
            type_: "Ready".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.clone(),
            observed_generation: website.metadata.generation,
            last_transition_time: since.cloned().unwrap_or_else(|| Time(Timestamp::now())),
        };
        let is_news = before.is_none_or(|before| before.reason != reason);
        let new = WebsiteStatus { ready_replicas, conditions: vec![ready] };
        if new == old {
            return Ok(());
        }
        let patch = Patch::Merge(json!({"status": new}));
        self.api::<Website>(website)
            .patch_status(&website.name_any(), &PatchParams::default(), &patch)
            .await?;
        if is_news {
            let type_ = if reason == "ThemeMissing" { EventType::Warning } else { EventType::Normal };
            let (reason, action) = (reason.to_owned(), "Reconcile".to_owned());
            let event = Event { type_, reason, note: Some(message), action, secondary: None };
            self.events.publish(&event, &website.object_ref(&())).await?;
        }
        Ok(())
    }
}
