//! [`Cluster`]: our server with its Kubelet on a loopback address, and upstream's controllers beside it.

use crate::servers::Failure;
use crate::servers::process::{Folder, Process};
use kube_client::Client;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::task::JoinSet;
use trimtab_apiserver::{ApiServer, ApiServerBuilder, Kubelet};

/// Everything that a client from elsewhere needs; it ends with this value.
#[derive(Debug)]
pub(super) struct Cluster {
    server: ApiServer,
    address: SocketAddr,
    /// The Kubelet, whose panic would show as Pods that never run.
    _kubelet: JoinSet<()>,
    controllers: Option<Process>,
    folder: Folder,
}

impl Cluster {
    pub(super) async fn start(server: ApiServerBuilder, purpose: &str) -> Result<Self, Failure> {
        let server = server.start();
        let address = server.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let kubelet = (1..=3)
            .fold(Kubelet::new(server.client_as("kubelet")).heartbeats(true), |kubelet, number| {
                kubelet.node(&format!("node-{number}"))
            });
        let mut tasks = JoinSet::new();
        tasks.spawn(kubelet.run(std::future::pending()));
        let folder = Folder::make(purpose)?;
        std::fs::write(folder.path().join("kubeconfig"), server.kubeconfig(address))?;
        Ok(Self { server, address, _kubelet: tasks, controllers: None, folder })
    }

    /// Starts upstream's controllers of these names.
    pub(super) fn start_controllers(&mut self, kube: &Path, names: &str) -> Result<(), Failure> {
        let key =
            std::process::Command::new(kube).args(["key", "key.pem"]).current_dir(self.path()).status()?;
        if !key.success() {
            return Err(format!("{} key ended with {key}", kube.display()).into());
        }
        let arguments = [
            "--kubeconfig=kubeconfig",
            "--service-account-private-key-file=key.pem",
            "--leader-elect=true",
            "--leader-elect-lease-duration=15s",
            "--use-service-account-credentials=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ];
        let mut arguments: Vec<_> = arguments.map(str::to_owned).into();
        arguments.push(format!("--controllers={names}"));
        self.controllers = Some(Process::start(kube, self.path(), "kube-controller-manager", &arguments)?);
        Ok(())
    }

    /// Stops upstream's controllers, and hands out what they logged.
    pub(super) fn stop_controllers(&mut self) -> Result<String, Failure> {
        self.controllers = None;
        Ok(std::fs::read_to_string(self.path().join("kube-controller-manager.log"))?)
    }

    pub(super) fn client(&self) -> Client {
        self.server.client_as("conformance")
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.path().join("kubeconfig")
    }

    /// Where clients keep their files.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}
