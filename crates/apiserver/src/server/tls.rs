//! [`Identity`]: the server's key and certificate, made when TLS is first asked for.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer},
};

use super::ApiServer;

/// The names of the server in its certificate: its addresses on this machine, and its names within a cluster.
const NAMES: [&str; 6] =
    ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];

/// A self-signed certificate and what listens with it.
pub(super) struct Identity {
    /// The certificate in PEM.
    certificate: String,
    config: Arc<ServerConfig>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Identity {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(NAMES.map(str::to_owned)).expect("the names are valid");
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .expect("the key is the certificate's");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { certificate: cert.pem(), config: Arc::new(config) }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// The certificate as a kubeconfig holds it.
    pub(super) fn authority(&self) -> String {
        BASE64_STANDARD.encode(&self.certificate)
    }
}

impl ApiServer {
    /// The certificate that TLS is served with, in PEM: it signs itself, so clients take it as their authority.
    pub fn certificate(&self) -> &str {
        &self.identity().certificate
    }

    pub(super) fn identity(&self) -> &Identity {
        self.identity.get_or_init(Identity::new)
    }
}
