//! What do the processes of a server compute for one creation of a Pod of 4 KB, JSON over TLS? The client's part is not
//! in it.
//!
//! Ours is this program again. A peer is any running API server: `--url=https://127.0.0.1:16443 --token=TOKEN`, and
//! `--pids=1,2` of all processes that it consists of.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use crate::{
    measure::{argument, one_thread, quick, report_lower},
    pods::{name, template},
    serve::{Serving, cpu_of},
};

/// Prints microseconds of CPU for a create.
pub(crate) fn run() {
    let count = if quick() { 2_000 } else { 10_000 };
    let spent = match (argument("url"), argument("pids")) {
        (Some(url), Some(pids)) => {
            let address = url.trim_start_matches("https://").parse().expect("https://ADDRESS:PORT");
            let pids: Vec<u32> = pids.split(',').map(|pid| pid.parse().expect("a number")).collect();
            creates(address, count, || pids.iter().copied().map(cpu_of).sum())
        }
        _ => {
            let serving = Serving::start("tls", 0);
            creates(serving.address, count, || serving.cpu())
        }
    };
    report_lower("create-cpu", "µs", spent.as_secs_f64() * 1e6 / count as f64);
}

/// Creates that many Pods, then deletes them, and returns what the creations cost by the clock `cpu`.
fn creates(address: SocketAddr, count: usize, cpu: impl Fn() -> Duration) -> Duration {
    let template = template().to_string();
    one_thread().block_on(async {
        let mut sender = connect(address).await;
        let create = async |sender: &mut Sender, number| {
            let pod = template.replacen(r#""name":"""#, &format!(r#""name":"{}""#, name(number)), 1);
            send(sender, "POST", pod).await;
        };
        for number in 0..count / 10 {
            create(&mut sender, number).await; // caches, and what a JIT or a collector has to learn
        }
        let before = cpu();
        for number in 0..count {
            create(&mut sender, count + number).await;
        }
        let spent = cpu() - before;
        send(&mut sender, "DELETE", String::new()).await;
        spent
    })
}

type Sender = SendRequest<Full<Bytes>>;

async fn connect(address: SocketAddr) -> Sender {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.expect("a listening server");
    stream.set_nodelay(true).expect("a socket");
    let stream =
        TlsConnector::from(Arc::new(config)).connect(address.ip().into(), stream).await.expect("TLS");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    sender
}

async fn send(sender: &mut Sender, method: &str, body: String) {
    let token = argument("token").unwrap_or_else(|| "none".to_owned());
    let request = Request::builder()
        .method(method)
        .uri("/api/v1/namespaces/default/pods")
        .header("host", "bench")
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    sender.ready().await.expect("a connection");
    let request = request.body(Full::new(body.into())).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("unbroken").to_bytes();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
}

/// Takes any certificate: both servers make theirs at the start, and nothing here is secret.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, tokio_rustls::rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
