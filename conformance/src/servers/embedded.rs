//! [`Embedded`]: the server of this workspace, on a loopback address, so that it is reached as any other. It
//! speaks TLS: without it, it is stricter than a kube-apiserver, for the sake of browsers.

use super::{Failure, config_of};
use kube_client::{Config, config::Kubeconfig};
use std::net::{Ipv4Addr, SocketAddr};
use trimtab_apiserver::ApiServer;

/// Our server and the address that it listens on.
#[derive(Debug)]
pub(crate) struct Embedded {
    config: Config,
    _server: ApiServer,
}

impl Embedded {
    /// Starts it; `rbac` lets RBAC's objects decide, with the client as an administrator.
    pub(crate) async fn start(rbac: bool) -> Result<Self, Failure> {
        let server = ApiServer::builder().root_certificates(true).rbac(rbac).start();
        let address = server.listen_tls(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let config = config_of(Kubeconfig::from_yaml(&server.kubeconfig(address))?).await?;
        Ok(Self { config, _server: server })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}
