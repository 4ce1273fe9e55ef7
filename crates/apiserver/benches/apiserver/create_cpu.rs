//! What do the processes of a server compute for one creation of a Pod of 4 KB, JSON over TLS? The client's part is not
//! in it.
//!
//! Ours is this program again; with `--kube=PROGRAM`, a real kube-apiserver with etcd is measured in its place.

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
    kube::{Kube, TOKEN},
    measure::{argument, one_thread},
    pods::{name, template},
    serve::Serving,
};
use trimtab_test_support::bench::{quick, report_lower};

/// Prints microseconds of CPU for a create.
pub(crate) fn run() {
    let count = if quick() { 2_000 } else { 10_000 };
    let spent = match argument("kube") {
        Some(program) => {
            let kube = Kube::start(&program);
            creates(kube.address, count, Some(&kube), || kube.cpu())
        }
        None => {
            let serving = Serving::start("tls", 0);
            creates(serving.address, count, None, || serving.cpu())
        }
    };
    report_lower("apiserver/create-cpu", "µs", spent.as_secs_f64() * 1e6 / count as f64);
}

/// Creates that many Pods, and returns what the creations cost by the clock `cpu`.
fn creates(address: SocketAddr, count: usize, kube: Option<&Kube>, cpu: impl Fn() -> Duration) -> Duration {
    let template = template().to_string();
    one_thread().block_on(async {
        if let Some(kube) = kube {
            kube.ready(async || is_ready(address).await).await;
        }
        let mut sender = connect(address).await;
        let create_one = async |sender: &mut Sender, number| {
            let pod = template.replacen(r#""name":"""#, &format!(r#""name":"{}""#, name(number)), 1);
            create(sender, pod).await;
        };
        for number in 0..count / 10 {
            create_one(&mut sender, number).await; // caches, and what a JIT or a collector has to learn
        }
        let before = cpu();
        for number in 0..count {
            create_one(&mut sender, count + number).await;
        }
        cpu() - before
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

/// Whether the server has all that a new one makes.
async fn is_ready(address: SocketAddr) -> bool {
    let Ok(stream) = TcpStream::connect(address).await else { return false };
    drop(stream);
    let mut sender = connect(address).await;
    for path in ["/readyz", "/api/v1/namespaces/default"] {
        let request =
            Request::get(path).header("host", "bench").header("authorization", format!("Bearer {TOKEN}"));
        let request = request.body(Full::default()).expect("a request");
        sender.ready().await.expect("a connection");
        let answer = sender.send_request(request).await.expect("an answer");
        let is_fine = answer.status().is_success();
        answer.into_body().collect().await.expect("unbroken");
        if !is_fine {
            return false;
        }
    }
    true
}

async fn create(sender: &mut Sender, body: String) {
    let request = Request::post("/api/v1/namespaces/default/pods")
        .header("host", "bench")
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {TOKEN}"));
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
