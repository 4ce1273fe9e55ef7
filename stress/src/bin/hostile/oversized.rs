//! Attacks by single requests that take a server long to read.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

const JSON: &str = "Content-Type: application/json\r\n";
const STRATEGIC: &str = "Content-Type: application/strategic-merge-patch+json\r\n";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// The limit of the time of one request, in a build without optimization.
const LONGEST: Duration = Duration::from_secs(30);
const PODS: usize = 500;

/// Creates the requested objects: Pods and a few large `ConfigMap`s.
pub(crate) async fn fill(address: SocketAddr) -> Result<(), String> {
    for number in 0..PODS {
        let pod = format!(
            r#"{{"metadata":{{"name":"pod-{number}"}},"spec":{{"containers":[{{"name":"main","image":"app:1"}}]}}}}"#
        );
        send(address, "POST", "/api/v1/namespaces/default/pods", JSON, &pod).await?;
    }
    for number in 0..8 {
        let text = "x".repeat(900_000);
        let map = format!(r#"{{"metadata":{{"name":"map-{number}"}},"data":{{"a":"{text}"}}}}"#);
        send(address, "POST", MAPS, JSON, &map).await?;
    }
    Ok(())
}

/// Sends the requests in turn until `until`. Returns their number.
pub(crate) async fn run(address: SocketAddr, until: Instant) -> Result<String, String> {
    let requests = requests();
    let (first, second) =
        tokio::join!(several(address, &requests, 0, until), several(address, &requests, 5, until));
    Ok(format!("{} long requests", first? + second?))
}

async fn several(
    address: SocketAddr,
    requests: &[Request],
    first: usize,
    until: Instant,
) -> Result<usize, String> {
    let mut count = 0;
    for (method, path, headers, body) in requests.iter().cycle().skip(first) {
        if Instant::now() >= until {
            break;
        }
        let sent = timeout(LONGEST, send(address, method, path, headers, body)).await;
        sent.map_err(|_| format!("{method} {} took longer than {LONGEST:?}", &path[..path.len().min(80)]))??;
        count += 1;
    }
    Ok(count)
}

/// The method, the path, headers and the body.
type Request = (&'static str, String, &'static str, String);

fn requests() -> Vec<Request> {
    let list = |item: &dyn Fn(usize) -> String, count| (0..count).map(item).collect::<Vec<_>>().join(",");
    let terms = list(&|n| format!("status.phase!%3DP{n}"), 250);
    let pods = "/api/v1/pods".to_owned();
    let env = list(&|n| format!(r#"{{"name":"e{n}","value":"v"}}"#), 30_000);
    let env = format!(r#"{{"spec":{{"containers":[{{"name":"main","env":[{env}]}}]}}}}"#);
    let finalizers = list(&|_| r#""a""#.to_owned(), 700_000);
    let finalizers = format!(r#"{{"metadata":{{"name":"many","finalizers":[{finalizers}]}}}}"#);
    let manager = |n| {
        format!(
            r#"{{"manager":"m{n}","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{{"f:data":{{}}}}}}"#
        )
    };
    let managers = list(&manager, 10_000);
    let managers = format!(r#"{{"metadata":{{"name":"managed","managedFields":[{managers}]}}}}"#);
    let deep = format!(r#"{{"metadata":{{"name":"deep"}},"x":{}{}}}"#, "[".repeat(9_000), "]".repeat(9_000));
    let large = |n: usize| {
        let map = format!("{MAPS}/map-{}", n % 8);
        let merge = "Content-Type: application/merge-patch+json\r\n";
        ("PATCH", map, merge, format!(r#"{{"data":{{"b":"{}"}}}}"#, "y".repeat(1000 + n)))
    };
    let get = |path: String, headers| ("GET", path, headers, String::new());
    vec![
        get(format!("{pods}?fieldSelector={terms}"), ""),
        get(pods.clone(), "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n"),
        get(format!("{pods}?pretty=true"), ""),
        get(pods, "Accept: application/yaml\r\n"),
        ("PATCH", "/api/v1/namespaces/default/pods/pod-0".to_owned(), STRATEGIC, env),
        ("POST", MAPS.to_owned(), JSON, finalizers),
        ("POST", MAPS.to_owned(), JSON, managers),
        ("POST", MAPS.to_owned(), JSON, deep),
        large(0),
        large(1),
        large(2),
        large(3),
    ]
}

/// Sends one request and reads its response to the end.
async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<(), String> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    // To refuse the connection, or to end it in the middle of a body, is a valid response, too.
    let Ok(mut stream) = TcpStream::connect(address).await else { return Ok(()) };
    if stream.write_all(head.as_bytes()).await.is_ok() && stream.write_all(body.as_bytes()).await.is_ok() {
        let mut piece = vec![0; 1 << 16];
        while stream.read(&mut piece).await.is_ok_and(|read| read > 0) {}
    }
    Ok(())
}
