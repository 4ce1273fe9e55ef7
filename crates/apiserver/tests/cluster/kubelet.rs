//! The kubelet: Pods run, wherever the server is.

use std::time::Duration;

use kube_client::Client;
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use trimtab_apiserver::{ApiServer, ChangeKind, Filter, Kubelet, Refusal, Verb};

use crate::fixtures::{create, delete, get, names, pod, send, server, settle};

const PODS: &str = "/api/v1/namespaces/default/pods";

/// A kubelet that runs until the sender is dropped or used.
fn run(kubelet: Kubelet) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    (stop, tokio::spawn(kubelet.run(async { drop(stopped.await) })))
}

fn kubelet(server: &ApiServer) -> Kubelet {
    Kubelet::new(server.client_as("kubelet"))
}

async fn create_pods(client: &Client, count: usize) {
    for number in 0..count {
        create(client, PODS, pod(&format!("web-{number:04}"))).await;
    }
}

async fn phases(client: &Client) -> Vec<String> {
    let list = get(client, PODS).await;
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|pod| pod["status"]["phase"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_bound_starts_after_a_while_and_ends_a_while_after_its_deletion() {
    let (server, client) = server();
    let (_stop, _kubelet) =
        run(kubelet(&server).startup(Duration::from_secs(4)).termination(Duration::from_secs(6)));
    create(&client, PODS, pod("web")).await;
    sleep(Duration::from_secs(3)).await;
    let web = get(&client, &format!("{PODS}/web")).await;
    assert_eq!((&web["spec"]["nodeName"], &web["status"]["phase"]), (&json!("node-1"), &json!("Pending")));
    sleep(Duration::from_secs(3)).await;
    let web = get(&client, &format!("{PODS}/web")).await;
    assert_eq!(web["status"]["phase"], "Running");
    let conditions = web["status"]["conditions"].as_array().unwrap();
    let holds = |kind: &str| conditions.iter().any(|one| one["type"] == kind && one["status"] == "True");
    assert!(
        ["PodScheduled", "Initialized", "ContainersReady", "Ready"].into_iter().all(holds),
        "{conditions:?}"
    );
    let container = &web["status"]["containerStatuses"][0];
    assert_eq!(
        (&container["name"], &container["image"], &container["ready"]),
        (&json!("c"), &json!("web:1"), &json!(true))
    );
    assert!(web["status"]["podIP"].is_string() && web["status"]["startTime"].is_string());

    delete(&client, &format!("{PODS}/web"), "Background").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(names(&client, PODS).await, ["web"], "it is still terminating");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(names(&client, PODS).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn pods_are_spread_over_the_nodes_which_are_ready() {
    let (server, client) = server();
    let (_stop, _kubelet) = run(kubelet(&server).node("east").node("west"));
    create_pods(&client, 10).await;
    settle().await;
    assert_eq!(names(&client, "/api/v1/nodes").await, ["east", "west"]);
    let west = get(&client, "/api/v1/nodes/west").await;
    assert_eq!(west["status"]["conditions"][0]["type"], "Ready");
    let on_west = names(&client, &format!("{PODS}?fieldSelector=spec.nodeName%3Dwest")).await;
    assert_eq!(on_west.len(), 5);
}

/// More Pods than requests are under way at a time, and more than a page of the list holds.
#[tokio::test(start_paused = true)]
async fn hundreds_of_pods_run_and_end_at_the_same_time() {
    let (server, client) = server();
    create_pods(&client, 600).await;
    let kubelet = kubelet(&server).startup(Duration::from_secs(3)).termination(Duration::from_secs(3));
    let (_stop, _kubelet) = run(kubelet);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(phases(&client).await, vec!["Running"; 600]);
    let addresses: std::collections::BTreeSet<_> = get(&client, PODS).await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| pod["status"]["podIP"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(addresses.len(), 600, "no address twice");
    delete(&client, PODS, "Background").await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(names(&client, PODS).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn trouble_only_delays_it() {
    let (server, client) = server();
    let of_kubelet = || Filter::any().user_agent("kubelet");
    let levers = server.levers();
    let refusals = [
        levers.refuse(of_kubelet().verb(Verb::List), Refusal::unavailable(), 3),
        levers.refuse(of_kubelet().verb(Verb::Watch), Refusal::internal_error(), 2),
        levers.refuse(of_kubelet().verb(Verb::Create), Refusal::internal_error(), 4),
        levers.refuse(of_kubelet().verb(Verb::Patch), Refusal::too_many_requests(), 5),
        levers.lose_reply(of_kubelet().verb(Verb::Delete), 1),
    ];
    let (_stop, _kubelet) = run(kubelet(&server));
    create_pods(&client, 20).await;
    settle().await;
    levers.cut_watches(&of_kubelet());
    levers.compact();
    create(&client, PODS, pod("late")).await;
    settle().await;
    assert_eq!(phases(&client).await, vec!["Running"; 21]);
    delete(&client, PODS, "Background").await;
    settle().await;
    assert_eq!(names(&client, PODS).await, [""; 0]);
    assert_eq!(refusals.map(|lever| lever.remaining()), [0; 5]);
}

/// A Pod that came back under its old name must not die of its predecessor's deletion, although the
/// kubelet has not heard of it yet. Fails without the UID in the preconditions of `Action::Remove`.
#[tokio::test(start_paused = true)]
async fn a_successor_of_the_same_name_is_left_alone() {
    let (server, client) = server();
    let (_stop, _kubelet) = run(kubelet(&server).termination(Duration::from_secs(20)));
    create(&client, PODS, pod("web")).await;
    settle().await;
    delete(&client, &format!("{PODS}/web"), "Background").await;
    sleep(Duration::from_secs(5)).await;
    let lag = server.levers().lag_watches(Filter::any().user_agent("kubelet"), Duration::from_secs(60));
    let now = json!({"gracePeriodSeconds": 0});
    send(&client, http::Method::DELETE, &format!("{PODS}/web"), Some(now)).await;
    let successor = create(&client, PODS, pod("web")).await;
    sleep(Duration::from_secs(30)).await;
    lag.release();
    settle().await;
    let web = get(&client, &format!("{PODS}/web")).await;
    assert_eq!(web["metadata"]["uid"], successor["metadata"]["uid"]);
    assert_eq!(web["status"]["phase"], "Running");
}

#[tokio::test(start_paused = true)]
async fn it_ends_at_once_when_told_to_and_another_takes_over() {
    let (server, client) = server();
    let (stop, first) = run(kubelet(&server).startup(Duration::from_secs(30)));
    create_pods(&client, 3).await;
    sleep(Duration::from_secs(1)).await;
    let before = server.now();
    drop(stop);
    first.await.unwrap();
    assert_eq!(server.now(), before);
    assert_eq!(phases(&client).await, vec!["Pending"; 3]);

    let (_stop, _second) = run(kubelet(&server));
    settle().await;
    assert_eq!(phases(&client).await, vec!["Running"; 3]);
}

#[tokio::test(start_paused = true)]
async fn two_runs_under_one_seed_write_the_same() {
    let mut histories = Vec::new();
    for _ in 0..2 {
        let start = "2026-01-02T03:04:05Z".parse().unwrap();
        let server = ApiServer::builder().seed(7).start_time(start).start();
        let mut commits = server.commits();
        let client = server.client();
        let (_stop, _kubelet) = run(kubelet(&server).startup(Duration::from_millis(1500)));
        create_pods(&client, 5).await;
        sleep(Duration::from_secs(5)).await;
        delete(&client, PODS, "Background").await;
        settle().await;
        let history = std::iter::from_fn(|| commits.try_next());
        let history: Vec<(ChangeKind, Value)> =
            history.map(|commit| (commit.change, (*commit.object).clone())).collect();
        assert!(history.len() > 20, "{}", history.len());
        histories.push(history);
    }
    assert_eq!(histories[0], histories[1]);
}
