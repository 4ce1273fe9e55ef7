//! Listening: connections that speak HTTP/1.1 or HTTP/2, in the clear or through TLS, up to a number.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tracing::Instrument;

use super::{
    ApiServer,
    connection::{Limits, serve},
    guard::Guard,
};

/// The size of one TLS record, and a little more.
#[cfg(feature = "tls")]
const RECORD: usize = 17 * 1024;
/// How long it is waited before the next accept when there is no file descriptor left.
const PAUSE: Duration = Duration::from_millis(10);

impl ApiServer {
    /// Listens on `address`, for HTTP/1.1 and for HTTP/2 with prior knowledge; port 0 picks a free one.
    /// Returns the address in use.
    ///
    /// Without TLS, web pages must not reach the server through a browser: a request whose `Host` is neither an IP address
    /// nor `localhost`, one from a page of another host, and a write without the content type of an object are refused.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, nothing listens.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (service, limits) = (self.remote_service(), self.limits(Some(Guard)));
        let serve = move |stream| serve(stream, service.clone(), limits.clone());
        self.spawn(accept(listener, address, self.connections.clone(), serve));
        Ok(address)
    }

    /// Listens on `address` like [`listen`](Self::listen), through TLS. The certificate is made at the first call;
    /// [`kubeconfig`](Self::kubeconfig) and [`certificate`](Self::certificate) tell it to clients.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, nothing listens.
    #[cfg(feature = "tls")]
    pub async fn listen_tls(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (service, acceptor) = (self.remote_service(), self.identity().acceptor());
        let limits = self.limits(None);
        self.secured.lock().push(address);
        let serve = move |stream| {
            // rustls by itself reads 4 KiB at a time, and asks once more whether there is anything left.
            let stream = tokio::io::BufReader::with_capacity(RECORD, stream);
            let (service, limits, handshake) = (service.clone(), limits.clone(), acceptor.accept(stream));
            async move {
                match tokio::time::timeout(limits.timeout, handshake).await {
                    Ok(Ok(stream)) => serve(stream, service, limits).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake did not come in time"),
                }
            }
        };
        self.spawn(accept(listener, address, self.connections.clone(), serve));
        Ok(address)
    }

    fn limits(&self, guard: Option<Guard>) -> Limits {
        Limits { timeout: self.connection_timeout, large_bodies: self.large_bodies.clone(), guard }
    }

    /// A kubeconfig for what listens on `address`: an administrator's, with the certificate if that is behind TLS. Where
    /// every address is listened on, it names that of this machine.
    pub fn kubeconfig(&self, address: SocketAddr) -> String {
        #[cfg(feature = "tls")]
        let authority = self.secured.lock().contains(&address).then(|| self.identity().authority());
        #[cfg(not(feature = "tls"))]
        let authority: Option<String> = None;
        let address = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
            IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, address.port())),
            _ => address,
        };
        let cluster = match authority {
            Some(authority) => {
                format!("{{server: \"https://{address}\", certificate-authority-data: \"{authority}\"}}")
            }
            None => format!("{{server: \"http://{address}\"}}"),
        };
        let token = serde_json::Value::from(self.admin_token.reveal()); // in quotes, which YAML reads as JSON does
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             clusters: [{{name: trimtab, cluster: {cluster}}}]\n\
             users: [{{name: admin, user: {{token: {token}}}}}]\n\
             contexts: [{{name: trimtab, context: {{cluster: trimtab, user: admin}}}}]\n\
             current-context: trimtab\n"
        )
    }

    fn spawn(&self, listener: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().spawn(listener);
    }
}

/// Accepts connections until it is aborted, which ends its connections, too. Those that are too many are closed at once.
async fn accept<C>(
    listener: TcpListener,
    address: SocketAddr,
    permits: Arc<Semaphore>,
    serve: impl Fn(tokio::net::TcpStream) -> C,
) where
    C: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut refused = 0_u64;
    loop {
        while connections.try_join_next().is_some() {} // a connection's panic ends that connection
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%address, %error, "accepting a connection failed");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = permits.clone().try_acquire_owned() else {
            refused += 1;
            if refused == 1 {
                let limit = connections.len();
                tracing::warn!(%address, %peer, limit, "connections are refused: there are as many as are allowed");
            }
            continue;
        };
        if refused > 0 {
            tracing::warn!(%address, refused, "connections are accepted again");
            refused = 0;
        }
        stream.set_nodelay(true).ok(); // without it, small watch events wait for acknowledgements
        let connection = serve(stream);
        let held = async move {
            connection.await;
            drop(permit);
        };
        connections.spawn(held.instrument(tracing::debug_span!("http", %peer)));
    }
}

#[cfg(test)]
mod tests;
