//! A namespace full of Pods on a real API server, over TLS.

use kube_client::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use trimtab_informer::{Informer, Selection};

use crate::{Failure, Form, cost::Cost, option, synced};
use trimtab_test_support::bench::report_lower;

pub(crate) async fn run<T: Form>(form: &str) -> Result<(), Failure> {
    let objects = option("objects")?;
    let kubeconfig = Kubeconfig::read_from(option::<String>("kubeconfig")?)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    let client = Client::try_from(config)?;
    let empty = Cost::now();
    let selection = Selection::all().namespace(&option::<String>("namespace")?);
    let _held = synced::<T>(Informer::builder(client).selection(selection), objects).await?;
    report_lower(&format!("informer/real-cpu/{form}"), "µs", Cost::now().cpu_each(&empty, objects));
    Ok(())
}
