//! The website operator of `examples/website` on kube-runtime: the same kinds, watches, finalizer, conditions and Events.
//!
//! ```text
//! website --kubeconfig FILE
//! ```
//!
//! kube-runtime has no leader election, probes, metrics and indexes, so it has none.

mod children;
mod operator;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{Config, Controller, watcher};
use kube::{Api, Client, ResourceExt};
use operator::{Operator, Website};
use peer_kube_runtime::option;
use std::error::Error;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let kubeconfig = Kubeconfig::read_from(option::<String>("kubeconfig")?)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let reporter = Reporter { controller: operator::NAME.to_owned(), instance: None };
    let operator =
        Arc::new(Operator { client: client.clone(), events: Recorder::new(client.clone(), reporter) });
    let all = watcher::Config::default;
    let controller = Controller::new(Api::<Website>::all(client.clone()), all());
    let websites = controller.store();
    let by_theme = move |theme: ConfigMap| {
        let is_theme_of = |website: &Arc<Website>| {
            website.namespace() == theme.namespace() && website.spec.theme.as_ref() == Some(&theme.name_any())
        };
        let found: Vec<_> = websites.state().into_iter().filter(is_theme_of).collect();
        found.into_iter().map(|website| ObjectRef::from_obj(&*website))
    };
    controller
        .with_config(Config::default().concurrency(4))
        .owns(Api::<ConfigMap>::all(client.clone()), all())
        .owns(Api::<Deployment>::all(client.clone()), all())
        .owns(Api::<Service>::all(client.clone()), all())
        .watches(Api::<ConfigMap>::all(client), all(), by_theme)
        .shutdown_on_signal()
        .run(operator::reconcile, operator::retry, operator)
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::warn!(%error, "reconcile failed");
            }
        })
        .await;
    Ok(())
}
