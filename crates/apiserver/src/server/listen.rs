//! Listening: connections that speak HTTP/1.1 or HTTP/2, in the clear or through TLS.

use std::{io, net::SocketAddr, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};
use tracing::Instrument;

use super::{ApiServer, Service};

/// How many requests one HTTP/2 connection may have open: upstream's default.
const STREAMS: u32 = 250;
/// What one record of TLS can have, and a little more.
#[cfg(feature = "tls")]
const RECORD: usize = 17 * 1024;
/// How long it is waited before the next accept when there is no file descriptor left.
const PAUSE: Duration = Duration::from_millis(10);

impl ApiServer {
    /// Listens on `address`, for HTTP/1.1 and for HTTP/2 with prior knowledge; port 0 picks a free one.
    /// Returns the address in use.
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
        let service = self.service();
        self.spawn(accept(listener, move |stream| serve(stream, service.clone())));
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
        let (service, acceptor) = (self.service(), self.identity().acceptor());
        self.secured.lock().push(address);
        self.spawn(accept(listener, move |stream| {
            // rustls by itself reads 4 KiB at a time, and asks once more whether there is anything left.
            let stream = tokio::io::BufReader::with_capacity(RECORD, stream);
            let (service, handshake) = (service.clone(), acceptor.accept(stream));
            async move {
                match handshake.await {
                    Ok(stream) => serve(stream, service).await,
                    Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                }
            }
        }));
        Ok(address)
    }

    /// A kubeconfig for what listens on `address`: an administrator's, with the certificate if that is behind TLS.
    pub fn kubeconfig(&self, address: SocketAddr) -> String {
        #[cfg(feature = "tls")]
        let authority = self.secured.lock().contains(&address).then(|| self.identity().authority());
        #[cfg(not(feature = "tls"))]
        let authority: Option<String> = None;
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

/// Accepts connections until it is aborted, which ends its connections, too.
async fn accept<C>(listener: TcpListener, serve: impl Fn(tokio::net::TcpStream) -> C)
where
    C: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {} // a connection's panic ends that connection
        match listener.accept().await {
            Ok((stream, peer)) => {
                stream.set_nodelay(true).ok(); // without it, small watch events wait for acknowledgements
                connections.spawn(serve(stream).instrument(tracing::debug_span!("http", %peer)));
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Serves one connection until it ends.
async fn serve<S>(stream: S, service: Service)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol.http1().timer(TokioTimer::new());
    protocol.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
    let connection = protocol.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = connection.await {
        tracing::debug!(error, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::{Filter, Refusal, Verb};

    /// Sends a request's text over a connection, and reads until `end` was seen or the connection ends.
    async fn talk(client: &mut DuplexStream, request: &str, end: &str) -> String {
        client.write_all(request.as_bytes()).await.expect("the connection is open");
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains(end) {
            if client.read_buf(&mut answer).await.expect("readable") == 0 {
                break;
            }
        }
        String::from_utf8(answer).expect("text")
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: test\r\nUser-Agent: raw\r\n\r\n")
    }

    /// HTTP/2 over `stream`: sends a GET and reads the answer's body.
    async fn get_over_http2<S>(stream: S, path: &str) -> (http::StatusCode, String)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        use http_body_util::{BodyExt, Empty};
        let io = TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.expect("HTTP/2 is spoken");
        tokio::spawn(connection);
        let request = http::Request::get(format!("http://localhost{path}"));
        let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        let code = answer.status();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (code, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test(start_paused = true)]
    async fn http2_is_spoken_to_those_who_begin_with_it() {
        let server = ApiServer::start();
        let (code, body) = get_over_http2(connect(&server), "/api/v1/namespaces/default").await;
        assert_eq!(code, 200);
        assert!(body.contains(r#""name":"default""#), "{body}");
    }

    #[cfg(feature = "tls")]
    #[tokio::test(start_paused = true)]
    async fn tls_is_spoken_with_the_certificate_that_the_server_tells() {
        use tokio_rustls::rustls::{
            ClientConfig, RootCertStore,
            crypto::ring,
            pki_types::{CertificateDer, pem::PemObject},
        };

        let server = ApiServer::start();
        let (client, stream) = duplex(64 * 1024);
        let (service, handshake) = (server.service(), server.identity().acceptor().accept(stream));
        tokio::spawn(async move { serve(handshake.await.expect("a handshake"), service).await });
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(server.certificate().as_bytes()).expect("PEM");
        roots.add(certificate).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(std::sync::Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        let name = "127.0.0.1".to_owned().try_into().expect("a name");
        let stream = connector.connect(name, client).await.expect("the certificate is valid for the address");
        let (code, _) = get_over_http2(stream, "/version").await;
        assert_eq!(code, 200);
    }

    fn connect(server: &ApiServer) -> DuplexStream {
        let (client, stream) = duplex(64 * 1024);
        tokio::spawn(serve(stream, server.service()));
        client
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_watches_are_served_over_one_connection_each() {
        let server = ApiServer::start();
        let mut client = connect(&server);
        let answer = talk(&mut client, &get("/api/v1/namespaces/default"), "Active\"}}").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.contains("content-type: application/json"), "{answer}");
        let missing = talk(&mut client, &get("/api/v1/namespaces/none"), "Failure\"}").await;
        assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
        let watch = get("/api/v1/namespaces?watch=true&timeoutSeconds=5");
        let events = talk(&mut client, &watch, "\r\n0\r\n\r\n").await;
        assert!(events.contains("transfer-encoding: chunked"), "{events}");
        assert_eq!(events.matches(r#"{"type":"ADDED""#).count(), 4, "{events}");
    }

    #[tokio::test(start_paused = true)]
    async fn faults_refuse_with_a_header_and_break_connections() {
        let server = ApiServer::start();
        let filter = Filter::any().user_agent("raw").verb(Verb::Get);
        let refused = server.faults().refuse(filter.clone(), Refusal::too_many_requests(), 1);
        let mut client = connect(&server);
        let answer = talk(&mut client, &get("/api/v1/namespaces/default"), "Failure\"}").await;
        assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 1\r\n"), "{answer}");
        assert_eq!(refused.remaining(), 0);
        server.faults().lose_reply(filter, 1).leave();
        assert_eq!(talk(&mut client, &get("/api/v1/namespaces/default"), "Active\"}}").await, "");
    }
}
