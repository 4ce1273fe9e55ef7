//! `--kubelet-for`: Pods run for an API server that has no nodes, such as a kube-apiserver beside its etcd.

use std::{error::Error, future::Future, path::Path, time::Duration};

use k8s_openapi::api::core::v1::Node;
use kube_client::{
    Api, Client, Config,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::time::timeout;
use trimtab_apiserver::Kubelet;

/// The time in which the API server must answer the first request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the names of this many nodes.
pub(crate) fn node_names(nodes: usize) -> Vec<String> {
    (1..=nodes).map(|number| format!("node-{number}")).collect()
}

/// Returns a Kubelet of these nodes. Its Pods take `startup` to become ready.
pub(crate) fn kubelet(client: Client, nodes: &[String], startup: Duration) -> Kubelet {
    let kubelet = Kubelet::new(client).startup(startup).heartbeats(true);
    nodes.iter().fold(kubelet, |kubelet, name| kubelet.node(name))
}

/// Returns a client of the cluster of a kubeconfig.
///
/// # Errors
///
/// The file cannot be read, or has no usable cluster; the error names the file.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client, String> {
    let failed = |error: &dyn Error| {
        format!("--kubelet-for: the kubeconfig {} cannot be used: {}", kubeconfig.display(), chain(error))
    };
    let file = Kubeconfig::read_from(kubeconfig).map_err(|error| failed(&error))?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| failed(&error))?;
    config.default_retry = false; // the Kubelet tries again by itself
    Client::try_from(config).map_err(|error| failed(&error))
}

/// Runs the Pods of a cluster until `shutdown` completes.
///
/// # Errors
///
/// The API server cannot be reached, or has Nodes of another kubelet: their Pods are not ours, and unbound Pods belong to the
/// scheduler of that cluster.
///
/// # Cancel safety
///
/// As [`Kubelet::run`].
pub(crate) async fn run(
    client: Client,
    nodes: &[String],
    startup: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), String> {
    let listed = timeout(TIMEOUT, Api::<Node>::all(client.clone()).list(&ListParams::default())).await;
    let listed = listed.map_err(|_| format!("the API server did not answer within {TIMEOUT:?}"))?;
    let listed = listed.map_err(|error| format!("the Nodes cannot be listed: {}", chain(&error)))?;
    let names = listed.items.into_iter().filter_map(|node| node.metadata.name);
    let mut foreign = names.filter(|name| !nodes.contains(name));
    if let Some(first) = foreign.next() {
        return Err(format!(
            "the cluster has Nodes of its own, such as {first}: their kubelets and a scheduler run its Pods"
        ));
    }
    eprintln!("Pods run on {}", nodes.join(", "));
    kubelet(client, nodes, startup).run(shutdown).await;
    Ok(())
}

/// Formats an error with its causes in one line; a cause that the text before contains is left out.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.extend([": ", &next]);
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use k8s_openapi::api::{coordination::v1::Lease, core::v1::Pod};
    use kube_client::api::{DeleteParams, PostParams};
    use serde_json::json;
    use tokio::time::sleep;
    use trimtab_apiserver::ApiServer;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pod(grace: u32) -> Pod {
        let spec =
            json!({"containers": [{"name": "c", "image": "i"}], "terminationGracePeriodSeconds": grace});
        serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": spec})).expect("a Pod")
    }

    /// Scheduling, start, lease and deletion, by the HTTP API alone.
    #[tokio::test(start_paused = true)]
    async fn pods_of_another_server_are_bound_run_and_end() {
        let server = ApiServer::start();
        let (client, nodes) = (server.client(), node_names(2));
        let running = tokio::spawn(async move { run(client, &nodes, 3 * SECOND, pending()).await });
        let pods: Api<Pod> = Api::default_namespaced(server.client());
        pods.create(&PostParams::default(), &pod(30)).await.expect("created");
        let phase = || async {
            let pod = pods.get("web").await.expect("it is there");
            (pod.spec.and_then(|spec| spec.node_name), pod.status.and_then(|status| status.phase))
        };
        sleep(2 * SECOND).await;
        assert_eq!(phase().await, (Some("node-1".to_owned()), Some("Pending".to_owned())));
        sleep(2 * SECOND).await;
        assert_eq!(phase().await.1.as_deref(), Some("Running"));
        let leases: Api<Lease> = Api::namespaced(server.client(), "kube-node-lease");
        let renewed = |lease: Lease| lease.spec.and_then(|spec| spec.renew_time);
        let before = renewed(leases.get("node-2").await.expect("it has a lease"));
        sleep(20 * SECOND).await;
        assert!(renewed(leases.get("node-2").await.expect("it has a lease")) > before);
        pods.delete("web", &DeleteParams::default()).await.expect("deletion begins");
        sleep(SECOND).await;
        assert!(pods.get_opt("web").await.expect("read").is_none(), "the Kubelet has ended it");
        running.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_with_nodes_of_its_own_is_left_alone() {
        let server = ApiServer::start();
        let node = serde_json::from_value(json!({"metadata": {"name": "worker"}})).expect("a Node");
        let nodes: Api<Node> = Api::all(server.client());
        nodes.create(&PostParams::default(), &node).await.expect("created");
        let refused = run(server.client(), &node_names(1), SECOND, pending()).await;
        assert_eq!(
            refused.expect_err("it has a kubelet"),
            "the cluster has Nodes of its own, such as worker: their kubelets and a scheduler run its Pods"
        );
        assert_eq!(nodes.list(&ListParams::default()).await.expect("listed").items.len(), 1);
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_used_is_named_in_one_line() {
        let missing = client(Path::new("/nowhere/config")).await.err().expect("no such file");
        assert!(
            missing.starts_with("--kubelet-for: the kubeconfig /nowhere/config cannot be used: "),
            "{missing}"
        );
        let path = std::env::temp_dir().join(format!("trimtab-kubelet-for-{}", std::process::id()));
        std::fs::write(&path, "clusters: 7\ncontexts: [\n").expect("written");
        let broken = client(&path).await.err().expect("no kubeconfig");
        std::fs::remove_file(&path).expect("removed");
        assert!(broken.contains(&*path.to_string_lossy()), "{broken}");
        for error in [missing, broken] {
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
