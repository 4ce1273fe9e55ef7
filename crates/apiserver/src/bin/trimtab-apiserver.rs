//! Serves the Kubernetes API until Ctrl-C: the server of this crate as a program.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use mimalloc::MiMalloc;
use trimtab_apiserver::{ApiServer, Kubelet};

/// Objects are many small pieces of memory.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A Kubernetes API server that keeps everything in memory.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen for HTTP; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8001)))]
    listen: SocketAddr,
    /// Decides UIDs and generated names.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Runs Pods on this many nodes.
    #[arg(long, value_name = "nodes=NUMBER", value_parser = nodes, num_args = 0..=1, default_missing_value = "nodes=1")]
    kubelet: Option<usize>,
    /// Leaves namespaces, dependents and service accounts to other controllers, such as a kube-controller-manager's.
    #[arg(long)]
    no_controllers: bool,
    /// Serves through TLS, with a certificate made for this run; the kubeconfig names it.
    #[arg(long)]
    tls: bool,
    /// Lets RBAC's objects decide who may do what; the kubeconfig is an administrator's.
    #[arg(long)]
    rbac: bool,
    /// Creates the objects of this file or directory first; may be given several times.
    #[arg(long, value_name = "PATH")]
    load: Vec<PathBuf>,
    /// Where to write the kubeconfig; by default, a file named after the port among the temporary files.
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
}

/// Parses `nodes=3`.
fn nodes(text: &str) -> Result<usize, String> {
    let count = text.strip_prefix("nodes=").and_then(|count| count.parse().ok());
    count
        .filter(|count| (1..=10_000).contains(count))
        .ok_or_else(|| "expected nodes=1 to nodes=10000".to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let controllers = !arguments.no_controllers;
    let builder = ApiServer::builder().controllers(controllers).root_certificates(controllers);
    let server = builder.seed(arguments.seed).rbac(arguments.rbac).start();
    for path in &arguments.load {
        server.load(path).await?;
    }
    let address = match arguments.tls {
        true => server.listen_tls(arguments.listen).await?,
        false => server.listen(arguments.listen).await?,
    };
    let path = arguments.kubeconfig.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("trimtab-apiserver-{}.kubeconfig", address.port()))
    });
    std::fs::write(&path, server.kubeconfig(address))?;
    writeln!(io::stdout(), "export KUBECONFIG={}", path.display())?;
    let interrupted = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("cannot wait for Ctrl-C: {error}");
        }
    };
    match arguments.kubelet {
        None => interrupted.await,
        Some(nodes) => {
            let kubelet =
                Kubelet::new(server.client_as("kubelet")).startup(Duration::from_secs(1)).heartbeats(true);
            let kubelet =
                (1..=nodes).fold(kubelet, |kubelet, number| kubelet.node(&format!("node-{number}")));
            kubelet.run(interrupted).await;
        }
    }
    std::fs::remove_file(path)?;
    Ok(())
}
