//! [`Real`]: etcd, kube-apiserver and kube-controller-manager, started for one run and stopped at its end.

use super::process::{Folder, Process};
use super::{Failure, asking_once, config_of};
use kube_client::config::Kubeconfig;
use kube_client::{Client, Config};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the server may take until it is ready: four seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The controllers that the embedded server has, too.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
                           root-ca-certificate-publisher-controller,resourcequota-controller,\
                           clusterrole-aggregation-controller";

/// The real thing.
#[derive(Debug)]
pub(crate) struct Real {
    config: Config,
    /// In the order in which they are stopped.
    _processes: Vec<Process>,
    folder: Folder,
}

impl Real {
    /// Starts the three programs that `kube` holds, each on a free port.
    pub(crate) async fn start(kube: &Path) -> Result<Self, Failure> {
        Self::start_with(kube, CONTROLLERS).await
    }

    /// The same with these controllers.
    pub(crate) async fn start_with(kube: &Path, controllers: &str) -> Result<Self, Failure> {
        let folder = Folder::make("server")?;
        let [etcd, etcd_peers, secure] = free_ports()?;
        let start =
            |program: &str, arguments: &[String]| Process::start(kube, folder.path(), program, arguments);
        let key = Command::new(kube).args(["key", "key.pem"]).current_dir(folder.path()).status()?;
        if !key.success() {
            return Err(format!("{} key ended with {key}", kube.display()).into());
        }
        let mut processes = vec![start("etcd", &etcd_arguments(etcd, etcd_peers))?];
        std::fs::write(folder.path().join("tokens.csv"), "token,admin,admin,\"system:masters\"\n")?;
        processes.insert(0, start("kube-apiserver", &apiserver_arguments(etcd, secure))?);
        let kubeconfig = kubeconfig(secure);
        std::fs::write(folder.path().join("kubeconfig"), &kubeconfig)?;
        let config = config_of(Kubeconfig::from_yaml(&kubeconfig)?).await?;
        ready(&config, folder.path()).await?;
        processes.insert(0, start("kube-controller-manager", &controllers_arguments(controllers))?);
        Ok(Self { config, _processes: processes, folder })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A client that asks once.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        asking_once(&self.config)
    }

    /// The folder with `kubeconfig` and the logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Waits until the server says that it is ready, and has the namespace that every case needs to exist.
async fn ready(config: &Config, folder: &Path) -> Result<(), Failure> {
    let client = asking_once(config)?;
    let deadline = Instant::now() + PATIENCE;
    for path in ["/readyz", "/api/v1/namespaces/default"] {
        loop {
            let request = http::Request::get(path).body(Vec::new())?;
            if client.request_text(request).await.is_ok() {
                break;
            }
            if Instant::now() >= deadline {
                let log = std::fs::read_to_string(folder.join("kube-apiserver.log")).unwrap_or_default();
                let end = log.lines().rev().take(5).collect::<Vec<_>>().join("\n");
                return Err(format!("kube-apiserver did not become ready; its log ends with\n{end}").into());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

fn etcd_arguments(port: u16, peers: u16) -> Vec<String> {
    let (clients, peers) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peers}"));
    vec![
        "--data-dir=etcd".to_owned(),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        "--unsafe-no-fsync".to_owned(), // nothing here outlives the run
    ]
}

fn apiserver_arguments(etcd: u16, port: u16) -> Vec<String> {
    let fixed = [
        "--bind-address=127.0.0.1",
        "--cert-dir=certificates",
        "--service-account-key-file=key.pem",
        "--service-account-signing-key-file=key.pem",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=RBAC",
        "--token-auth-file=tokens.csv",
        "--service-cluster-ip-range=10.0.0.0/24",
        // Pods would wait for the default ServiceAccount of each new namespace, and get its token mounted.
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
    ];
    let addresses =
        [format!("--etcd-servers=http://127.0.0.1:{etcd}"), format!("--secure-port={port}")].into_iter();
    addresses.chain(fixed.map(str::to_owned)).collect()
}

fn controllers_arguments(controllers: &str) -> Vec<String> {
    let fixed = [
        "--kubeconfig=kubeconfig",
        "--service-account-private-key-file=key.pem",
        "--root-ca-file=certificates/apiserver.crt",
        "--leader-elect=false",
        "--use-service-account-credentials=false",
        "--secure-port=0",
        // Hundreds of namespaces come in seconds; the default is 20 requests a second.
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
    ];
    let controllers = format!("--controllers={controllers}");
    fixed.map(str::to_owned).into_iter().chain([controllers]).collect()
}

fn kubeconfig(port: u16) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: real, cluster: {{\
         server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: admin, user: {{token: token}}}}]\n\
         contexts: [{{name: real, context: {{cluster: real, user: admin}}}}]\n\
         current-context: real\n"
    )
}

/// Ports that were free a moment ago, all different.
fn free_ports<const N: usize>() -> std::io::Result<[u16; N]> {
    let listeners: Vec<_> =
        (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
