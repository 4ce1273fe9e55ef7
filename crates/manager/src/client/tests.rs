//! Deadlines and the rate limit of a manager's client, in virtual time.

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api,
    api::{PostParams, WatchParams},
};
use serde_json::json;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};

use super::*;

fn map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap")
}

fn limited(server: &ApiServer, deadline: Option<Duration>, rate: Option<Rate>) -> Api<ConfigMap> {
    let clients = Clients::ready(server.client());
    Api::default_namespaced(clients.limited(deadline, rate.map(Arc::new).as_ref(), None))
}

/// Over a socket, because the client is made of a config.
#[tokio::test]
async fn a_client_of_a_config_sends_the_name_of_the_manager() {
    let server = ApiServer::builder().request_log(true).start();
    let address = server.listen("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
    let config = || Config::new(format!("http://{address}").parse().expect("a URL"));
    let mut named = config();
    named.headers.push((USER_AGENT, HeaderValue::from_static("web/1.0")));
    for (config, agent, name) in [(config(), "operator", "a"), (named, "web/1.0", "b")] {
        let clients = Clients::connect("operator", config, false).expect("a client");
        let maps: Api<ConfigMap> = Api::default_namespaced(clients.limited(None, None, None));
        maps.create(&PostParams::default(), &map(name)).await.expect("created");
        let requests = server.request_log().matching(&Filter::any().user_agent(agent));
        assert_eq!(requests.len(), 1, "{agent}");
    }
}

/// Over a socket with TLS, as of a cluster: the watch has a connection of its own, other requests share theirs.
#[cfg(feature = "rustls-tls")]
#[tokio::test]
async fn a_client_of_a_config_writes_and_watches_over_tls() {
    use futures_util::{StreamExt, pin_mut};
    use kube_client::{
        api::WatchEvent,
        config::{KubeConfigOptions, Kubeconfig},
    };

    let server = ApiServer::start();
    let address = server.listen_tls("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig(address)).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let clients = Clients::connect("operator", config.expect("a config"), false).expect("a client");
    let maps: Api<ConfigMap> = Api::default_namespaced(clients.limited(None, None, None));
    let watch = maps.watch(&WatchParams::default().disable_bookmarks(), "0").await.expect("a watch");
    pin_mut!(watch);
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &map(name)).await.expect("created");
        let event = watch.next().await.expect("the watch is open").expect("no error");
        assert!(
            matches!(&event, WatchEvent::Added(map) if map.metadata.name.as_deref() == Some(name)),
            "{event:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response_fails_at_its_deadline() {
    let server = ApiServer::start();
    let maps = limited(&server, Some(Duration::from_secs(30)), None);
    let _held = server.faults().hold(Filter::any().verb(Verb::Create));
    let start = Instant::now();
    let error = maps.create(&PostParams::default(), &map("a")).await.expect_err("no response");
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(error.to_string().contains("no complete response within 30s"), "{error}");
}

/// Without the exception, each watch would fail after 30 s.
#[tokio::test(start_paused = true)]
async fn a_watch_has_no_deadline() {
    use futures_util::{StreamExt, pin_mut};

    let server = ApiServer::start();
    let maps = limited(&server, Some(Duration::from_secs(30)), None);
    let watch = maps.watch(&WatchParams::default().timeout(280), "0").await.expect("a watch");
    pin_mut!(watch);
    let later = async {
        tokio::time::sleep(Duration::from_secs(45)).await;
        maps.create(&PostParams::default(), &map("late")).await.expect("created");
    };
    let event = async {
        loop {
            match watch.next().await.expect("the watch is open").expect("no error") {
                kube_client::api::WatchEvent::Added(map) => return map,
                _ => continue, // a bookmark
            }
        }
    };
    let (event, ()) = tokio::join!(event, later);
    assert_eq!(event.metadata.name.as_deref(), Some("late"));
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_burst_wait_for_their_turn() {
    let server = ApiServer::start();
    let maps = limited(&server, None, Some(Rate::new(10.0, 2).expect("a valid rate")));
    let start = Instant::now();
    for name in ["a", "b", "c", "d"] {
        maps.create(&PostParams::default(), &map(name)).await.expect("created");
    }
    assert_eq!(start.elapsed().as_millis(), 200, "two at once, then one in 100 ms each");
    assert_eq!(Rate::new(0.0, 1).expect_err("no rate").field(), "qps");
    assert_eq!(Rate::new(1.0, 0).expect_err("no burst").field(), "burst");
}

/// A deadline counts from the time when the request is sent, not from its place in the queue.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_turn_is_no_part_of_the_deadline() {
    let server = ApiServer::start();
    let rate = Rate::new(0.01, 1).expect("a valid rate");
    let maps = limited(&server, Some(Duration::from_secs(30)), Some(rate));
    maps.create(&PostParams::default(), &map("a")).await.expect("created");
    let start = Instant::now();
    maps.create(&PostParams::default(), &map("b")).await.expect("created after its turn");
    assert_eq!(start.elapsed().as_secs(), 100);
}

/// The client of a `Config` sends a write once, whatever the server responds. kube-client's own repeats it after 503.
#[tokio::test]
async fn a_client_of_a_config_repeats_no_write() {
    let server = ApiServer::builder().request_log(true).start();
    let address = server.listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let url = format!("http://{address}").parse().expect("a URL");
    let clients = Clients::connect("operator", Config::new(url), false).expect("no credentials");
    let maps: Api<ConfigMap> = Api::namespaced(clients.limited(None, None, None), "default");
    let _refused = server.faults().refuse(Filter::any().verb(Verb::Create), Refusal::unavailable(), 1);
    let error = maps.create(&PostParams::default(), &map("a")).await.expect_err("refused once");
    assert!(matches!(&error, kube_client::Error::Api(status) if status.code == 503), "{error}");
    assert_eq!(server.request_log().matching(&Filter::any().verb(Verb::Create)).len(), 1);
}
