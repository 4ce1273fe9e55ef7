//! A real kube-apiserver with its etcd, for the questions that have a peer: `--kube=PROGRAM` names one program that is
//! both, as `cargo xtask bench` builds it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{measure::wall, serve::cpu_of};

/// The token of the server's administrator.
pub(crate) const TOKEN: &str = "token";
/// How long the server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(120);

/// The two processes; they end with this value, and what they wrote goes.
pub(crate) struct Kube {
    processes: [Child; 2],
    folder: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Kube {
    pub(crate) fn start(program: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("trimtab-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the server");
        fs::write(folder.join("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n"))
            .expect("a file");
        let command = || {
            let mut command = Command::new(program);
            command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let key = command().args(["key", "key.pem"]).status().expect("the program runs");
        assert!(key.success(), "a key for service accounts: {key}");
        let [etcd, peers, address] = addresses();
        let etcd_arguments = [
            "etcd".to_owned(),
            "--data-dir=etcd".to_owned(),
            "--unsafe-no-fsync".to_owned(),
            format!("--listen-client-urls=http://{etcd}"),
            format!("--advertise-client-urls=http://{etcd}"),
            format!("--listen-peer-urls=http://{peers}"),
            format!("--initial-advertise-peer-urls=http://{peers}"),
            format!("--initial-cluster=default=http://{peers}"),
        ];
        let server_arguments = [
            "kube-apiserver".to_owned(),
            format!("--etcd-servers=http://{etcd}"),
            format!("--secure-port={}", address.port()),
            "--bind-address=127.0.0.1".to_owned(),
            "--cert-dir=certificates".to_owned(),
            "--service-account-key-file=key.pem".to_owned(),
            "--service-account-signing-key-file=key.pem".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--token-auth-file=tokens.csv".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(), // no controller makes the account that it asks for
        ];
        let etcd = command().args(etcd_arguments).spawn().expect("etcd starts");
        let server = command().args(server_arguments).spawn().expect("kube-apiserver starts");
        Self { processes: [etcd, server], folder, address }
    }

    /// Asks `is_ready` until it is.
    pub(crate) async fn ready(&self, is_ready: impl AsyncFn() -> bool) {
        let start = wall();
        while !is_ready().await {
            assert!(wall() - start < PATIENCE, "kube-apiserver did not become ready");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The CPU time of the processes so far.
    pub(crate) fn cpu(&self) -> Duration {
        self.processes.iter().map(|process| cpu_of(process.id())).sum()
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().ok();
            process.wait().ok();
        }
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Addresses that were free a moment ago, all different.
fn addresses() -> [SocketAddr; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address"))
}
