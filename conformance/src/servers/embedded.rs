//! [`Embedded`]: the server of this workspace, on a loopback address, so that it is reached as any other.

use super::Failure;
use kube_client::Config;
use std::net::{Ipv4Addr, SocketAddr};
use trimtab_apiserver::ApiServer;

/// Our server and the address that it listens on.
#[derive(Debug)]
pub(crate) struct Embedded {
    config: Config,
    _server: ApiServer,
}

impl Embedded {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let server = ApiServer::builder().root_certificates(true).start();
        let address = server.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let config = Config::new(format!("http://{address}").parse()?);
        Ok(Self { config, _server: server })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}
