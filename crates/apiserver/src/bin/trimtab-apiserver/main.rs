//! Serves the Kubernetes API until it is interrupted: the server of this crate as a program.

mod arguments;
mod elsewhere;
mod kubeconfig;
mod signals;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use arguments::Arguments;
use clap::Parser;
use kubeconfig::KubeconfigFile;
use mimalloc::MiMalloc;
use signals::Signals;
use trimtab_apiserver::ApiServer;

/// Objects are many small pieces of memory.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trimtab-apiserver: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Which controllers run, so that nobody waits for one that does not.
fn running(controllers: bool, kubelet: Option<usize>) -> String {
    let own = if controllers {
        "garbage collector, namespaces, service accounts, root certificates, protection of volumes"
    } else {
        "none"
    };
    let pods = if kubelet.is_some() { "Pods run" } else { "Pods stay Pending (--kubelet runs them)" };
    format!(
        "controllers: {own}; {pods}; nothing acts on Deployments, Jobs, StatefulSets and the like: a Deployment stays at 0"
    )
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    arguments.check()?;
    // Before the kubeconfig is written: whatever ends the program then removes it.
    let signals = Signals::catch()?;
    let nodes = elsewhere::node_names(arguments.kubelet.unwrap_or(1));
    if let Some(kubeconfig) = &arguments.kubelet_for {
        let client = elsewhere::client(kubeconfig).await?;
        return Ok(elsewhere::run(client, &nodes, arguments.pod_startup, signals.any()).await?);
    }
    let controllers = !arguments.no_controllers;
    let builder = ApiServer::builder().controllers(controllers).root_certificates(controllers);
    let server = builder.seed(arguments.seed).rbac(arguments.rbac).start();
    for path in &arguments.load {
        server.load(path).await?;
    }
    let listening = match arguments.tls {
        true => server.listen_tls(arguments.listen).await,
        false => server.listen(arguments.listen).await,
    };
    let address = listening.map_err(|error| {
        format!("cannot listen on {}: {error}; --listen chooses another address or port", arguments.listen)
    })?;
    eprintln!("{}", running(controllers, arguments.kubelet));
    if arguments.rbac && !arguments.tls {
        eprintln!(
            "warning: clients send no credentials over plain HTTP: with --rbac they are anonymous, but with --tls"
        );
    }
    let file = KubeconfigFile::write(arguments.kubeconfig.as_deref(), &server.kubeconfig(address))?;
    writeln!(io::stdout(), "export KUBECONFIG={}", file.path().display())?;
    match arguments.kubelet {
        None => signals.any().await,
        Some(_) => {
            let kubelet = elsewhere::kubelet(server.client_as("kubelet"), &nodes, arguments.pod_startup);
            kubelet.run(signals.any()).await;
        }
    }
    file.remove()?;
    Ok(())
}
