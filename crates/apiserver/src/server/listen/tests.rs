//! Connections of a listener: what ends them, and what they may take.

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};

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
    let (service, handshake) = (server.remote_service(), server.identity().acceptor().accept(stream));
    let limits = server.limits(None);
    tokio::spawn(async move { serve(handshake.await.expect("a handshake"), service, limits).await });
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
    tokio::spawn(serve(stream, server.remote_service(), server.limits(None)));
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

/// Reads until the connection ends; how long that took, and what was read.
async fn until_its_end(client: &mut DuplexStream) -> (Duration, String) {
    let begun = tokio::time::Instant::now();
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.ok(); // broken off is ended, too
    (begun.elapsed(), String::from_utf8_lossy(&read).into_owned())
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_nothing_ends_after_30_seconds() {
    let server = ApiServer::start();
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let beginnings = ["", "P", "GET /version HTTP/1.1\r\nHost: a\r\n", http2, &http2[..20]];
    for beginning in beginnings {
        let mut client = connect(&server);
        client.write_all(beginning.as_bytes()).await.expect("open");
        let (lasted, _) = until_its_end(&mut client).await;
        assert!((29..=62).contains(&lasted.as_secs()), "{beginning:?} lasted {lasted:?}");
    }
    let mut client = connect(&server);
    let answer = talk(&mut client, &get("/version"), "linux/amd64\"}").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (lasted, _) = until_its_end(&mut client).await;
    assert!((29..=32).contains(&lasted.as_secs()), "an idle connection lasted {lasted:?}");
}

#[cfg(feature = "tls")]
#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_comes_ends_after_its_time() {
    let server = ApiServer::builder().connection_timeout(Duration::from_secs(5)).start();
    let (mut client, stream) = duplex(1024);
    let handshake = server.identity().acceptor().accept(stream);
    let limit = server.limits(None).timeout;
    tokio::spawn(async move { tokio::time::timeout(limit, handshake).await.is_ok() });
    let (lasted, _) = until_its_end(&mut client).await;
    assert_eq!(lasted.as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_not_waited_for() {
    let server = ApiServer::start();
    let path = "/api/v1/namespaces/default/configmaps";
    let head = |more: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{more}\r\n\r\n{{")
    };
    for more in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut client = connect(&server);
        client.write_all(head(more).as_bytes()).await.expect("open");
        let (lasted, answer) = until_its_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 408") || answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(lasted.as_secs() <= 62, "{more} lasted {lasted:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_loses_its_connection() {
    let server = ApiServer::start();
    let maps = server.client();
    let map = serde_json::json!({"metadata": {"generateName": "m-"}, "data": {"a": "x".repeat(100_000)}});
    for _ in 0..5 {
        let post = http::Request::post("/api/v1/namespaces/default/configmaps");
        let post = post.header("content-type", "application/json").body(map.to_string().into_bytes());
        maps.request::<serde_json::Value>(post.expect("a request")).await.expect("created");
    }
    let mut client = connect(&server);
    client.write_all(get("/api/v1/configmaps").as_bytes()).await.expect("open");
    tokio::time::sleep(Duration::from_secs(40)).await;
    let (_, answer) = until_its_end(&mut client).await;
    assert!(answer.len() < 400_000, "{} bytes were sent to nobody", answer.len());
}

#[tokio::test(start_paused = true)]
async fn a_watch_lasts_as_long_as_its_client_is_there() {
    let server = ApiServer::start();
    let mut client = connect(&server);
    let watch = get("/api/v1/namespaces?watch=true&timeoutSeconds=300");
    let events = talk(&mut client, &watch, "\r\n0\r\n\r\n").await;
    assert!(events.ends_with("0\r\n\r\n"), "the watch ends at its own time: {events}");
}

/// Over real sockets: only they can be too many.
#[tokio::test]
async fn connections_that_are_too_many_are_refused_and_others_go_on() {
    let server = ApiServer::builder().max_connections(2).start();
    let address = server.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port");
    let connect = async || tokio::net::TcpStream::connect(address).await.expect("accepted by the system");
    let ask = async |stream: &mut tokio::net::TcpStream| {
        let request = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).await.ok();
        let mut read = [0; 12];
        stream.read_exact(&mut read).await.map(|_| String::from_utf8_lossy(&read).into_owned()).ok()
    };
    let (mut one, mut other) = (connect().await, connect().await);
    assert_eq!(ask(&mut one).await.as_deref(), Some("HTTP/1.1 200"));
    assert_eq!(ask(&mut other).await.as_deref(), Some("HTTP/1.1 200"));
    assert_eq!(ask(&mut connect().await).await, None, "the third is closed");
    drop(other);
    loop {
        if ask(&mut connect().await).await.is_some() {
            break; // a place is free as soon as the server has seen the end
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn without_tls_a_browser_s_requests_are_refused() {
    let server = ApiServer::start();
    let address = server.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port");
    for (headers, expected) in [
        ("Host: localhost\r\n", "HTTP/1.1 200"),
        ("Host: rebound.example\r\n", "HTTP/1.1 403"),
        ("Host: localhost\r\nOrigin: http://page.example\r\n", "HTTP/1.1 403"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        let request = format!("GET /version HTTP/1.1\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut read = [0; 12];
        stream.read_exact(&mut read).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&read), expected, "{headers}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kubeconfig_names_an_address_that_can_be_reached() {
    let server = ApiServer::start();
    for (address, expected) in [
        ("0.0.0.0:8001", "http://127.0.0.1:8001"),
        ("[::]:8001", "http://[::1]:8001"),
        ("192.0.2.7:8001", "http://192.0.2.7:8001"),
    ] {
        let kubeconfig = server.kubeconfig(address.parse().expect("an address"));
        assert!(kubeconfig.contains(&format!("server: \"{expected}\"")), "{kubeconfig}");
    }
}
