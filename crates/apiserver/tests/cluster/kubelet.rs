//! The kubelet: Pods run, wherever the server is.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube_client::Client;
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use trimtab_apiserver::{ApiServer, ChangeKind, Filter, Kubelet, PodPlan, Refusal, Verb};
use trimtab_test_support::settle;

use crate::fixtures::{IDLE, create, delete, get, names, pod, send, server};

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
    settle(IDLE).await;
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
async fn an_error_only_delays_it() {
    let (server, client) = server();
    let of_kubelet = || Filter::any().user_agent("kubelet");
    let faults = server.faults();
    let refusals = [
        faults.refuse(of_kubelet().verb(Verb::List), Refusal::unavailable(), 3),
        faults.refuse(of_kubelet().verb(Verb::Watch), Refusal::internal_error(), 2),
        faults.refuse(of_kubelet().verb(Verb::Create), Refusal::internal_error(), 4),
        faults.refuse(of_kubelet().verb(Verb::Patch), Refusal::too_many_requests(), 5),
        faults.lose_reply(of_kubelet().verb(Verb::Delete), 1),
    ];
    let (_stop, _kubelet) = run(kubelet(&server));
    create_pods(&client, 20).await;
    settle(IDLE).await;
    faults.cut_watches(&of_kubelet());
    faults.compact();
    create(&client, PODS, pod("late")).await;
    settle(IDLE).await;
    assert_eq!(phases(&client).await, vec!["Running"; 21]);
    delete(&client, PODS, "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, PODS).await, [""; 0]);
    assert_eq!(refusals.map(|fault| fault.remaining()), [0; 5]);
}

/// A Pod that came back under its old name must not die of its predecessor's deletion, although the
/// kubelet has not heard of it yet. Fails without the UID in the preconditions of `Action::Remove`.
#[tokio::test(start_paused = true)]
async fn a_successor_of_the_same_name_is_left_alone() {
    let (server, client) = server();
    let (_stop, _kubelet) = run(kubelet(&server).termination(Duration::from_secs(20)));
    create(&client, PODS, pod("web")).await;
    settle(IDLE).await;
    delete(&client, &format!("{PODS}/web"), "Background").await;
    sleep(Duration::from_secs(5)).await;
    let lag = server.faults().lag_watches(Filter::any().user_agent("kubelet"), Duration::from_secs(60));
    let now = json!({"gracePeriodSeconds": 0});
    send(&client, http::Method::DELETE, &format!("{PODS}/web"), Some(now)).await;
    let successor = create(&client, PODS, pod("web")).await;
    sleep(Duration::from_secs(30)).await;
    lag.release();
    settle(IDLE).await;
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
    settle(IDLE).await;
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
        settle(IDLE).await;
        let history = std::iter::from_fn(|| commits.try_next());
        let history: Vec<(ChangeKind, Value)> =
            history.map(|commit| (commit.change, (*commit.object).clone())).collect();
        assert!(history.len() > 20, "{}", history.len());
        histories.push(history);
    }
    assert_eq!(histories[0], histories[1]);
}

/// A Pod with this restart policy, of whom a label says what becomes of it.
fn planned(name: &str, policy: &str) -> Value {
    let mut pod = pod(name);
    pod["metadata"]["labels"] = json!({"plan": name});
    pod["spec"]["restartPolicy"] = policy.into();
    pod
}

async fn status(client: &Client, name: &str) -> Value {
    get(client, &format!("{PODS}/{name}")).await["status"].take()
}

fn is_ready(status: &Value) -> bool {
    let conditions = status["conditions"].as_array().expect("conditions");
    conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[tokio::test(start_paused = true)]
async fn a_rule_makes_some_pods_slow_and_leaves_the_others_alone() {
    let (server, client) = server();
    let slow = PodPlan::runs().startup(Duration::from_secs(60));
    let kubelet = kubelet(&server).rule(move |pod| (pod.name() == "slow").then_some(slow));
    let (_stop, _kubelet) = run(kubelet.startup(Duration::from_secs(2)));
    create(&client, PODS, pod("slow")).await;
    create(&client, PODS, pod("usual")).await;
    sleep(Duration::from_secs(59)).await;
    assert_eq!(status(&client, "slow").await["phase"], "Pending");
    assert_eq!(status(&client, "usual").await["phase"], "Running");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(status(&client, "slow").await["phase"], "Running");
}

#[tokio::test(start_paused = true)]
async fn what_an_exit_means_is_for_the_restart_policy_to_say() {
    let (server, client) = server();
    let kubelet = kubelet(&server).rule(|pod| {
        let code = i32::from(pod.label("plan")?.contains("fails"));
        Some(PodPlan::exits(code).after(Duration::from_secs(30)).times(1))
    });
    let (_stop, _kubelet) = run(kubelet);
    let all = [
        ("fails-never", "Never", "Failed", 0),
        ("ends-never", "Never", "Succeeded", 0),
        ("ends-on-failure", "OnFailure", "Succeeded", 0),
        ("fails-on-failure", "OnFailure", "Running", 1),
        ("ends-always", "Always", "Running", 1),
    ];
    for (name, policy, ..) in all {
        create(&client, PODS, planned(name, policy)).await;
    }
    sleep(Duration::from_secs(29)).await;
    assert_eq!(phases(&client).await, ["Running"; 5]);
    sleep(Duration::from_secs(60)).await;
    for (name, _, phase, restarts) in all {
        let status = status(&client, name).await;
        let container = &status["containerStatuses"][0];
        assert_eq!(
            (&status["phase"], &container["restartCount"]),
            (&json!(phase), &json!(restarts)),
            "{name}"
        );
        assert_eq!(is_ready(&status), phase == "Running", "{name}");
        let ended = if restarts == 0 { &container["state"] } else { &container["lastState"] };
        let code = i32::from(name.contains("fails"));
        assert_eq!(ended["terminated"]["exitCode"], code, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_backs_off_twice_as_long_each_time() {
    let (server, client) = server();
    let (_stop, _kubelet) = run(kubelet(&server).rule(|_| Some(PodPlan::exits(1))));
    create(&client, PODS, planned("loop", "Always")).await;
    let mut restarts = Vec::new();
    for seconds in [5, 10, 20, 40] {
        sleep(Duration::from_secs(seconds)).await;
        let status = status(&client, "loop").await;
        assert_eq!(status["phase"], "Running");
        assert!(!is_ready(&status), "{status}");
        let container = &status["containerStatuses"][0];
        assert_eq!(container["state"]["waiting"]["reason"], "CrashLoopBackOff");
        assert_eq!(container["lastState"]["terminated"]["exitCode"], 1);
        restarts.push(container["restartCount"].as_u64().expect("a count"));
    }
    assert_eq!(restarts, [1, 2, 3, 4]);
    delete(&client, PODS, "Background").await;
    settle(IDLE).await;
    assert_eq!(names(&client, PODS).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_flaky_pod_is_well_in_the_end_and_another_kubelet_goes_on_with_it() {
    let (server, client) = server();
    let flaky = |server: &ApiServer| kubelet(server).rule(|_| Some(PodPlan::exits(7).times(3)));
    let (stop, first) = run(flaky(&server));
    create(&client, PODS, planned("flaky", "Always")).await;
    sleep(Duration::from_secs(12)).await;
    drop(stop);
    first.await.unwrap();
    assert_eq!(status(&client, "flaky").await["containerStatuses"][0]["restartCount"], 2);
    let (_stop, _second) = run(flaky(&server));
    sleep(Duration::from_secs(600)).await;
    let status = status(&client, "flaky").await;
    assert!(is_ready(&status), "{status}");
    let container = &status["containerStatuses"][0];
    assert_eq!(container["restartCount"], 3);
    assert_eq!(container["lastState"]["terminated"]["exitCode"], 7);
}

#[tokio::test(start_paused = true)]
async fn an_evicted_pod_has_failed_and_is_not_started_again() {
    let (server, client) = server();
    let (_stop, _kubelet) =
        run(kubelet(&server).rule(|_| Some(PodPlan::evicted().after(Duration::from_secs(5)))));
    create(&client, PODS, planned("unlucky", "Always")).await;
    sleep(Duration::from_secs(60)).await;
    let status = status(&client, "unlucky").await;
    assert_eq!((&status["phase"], &status["reason"]), (&json!("Failed"), &json!("Evicted")));
    let disrupted =
        status["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "DisruptionTarget");
    assert_eq!(disrupted.expect("a condition")["reason"], "TerminationByKubelet");
}

#[tokio::test(start_paused = true)]
async fn a_jobs_pod_that_may_end_succeeds_after_a_short_time() {
    let (server, client) = server();
    let (_stop, _kubelet) = run(kubelet(&server));
    let mut job = planned("of-a-job", "OnFailure");
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    let spec = json!({"template": {"spec": job["spec"]}});
    let object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec});
    let owner = create(&client, jobs, object).await;
    job["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": owner["metadata"]["uid"], "controller": true,
    }]);
    create(&client, PODS, job).await;
    create(&client, PODS, planned("alone", "Never")).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(phases(&client).await, ["Running", "Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn each_node_keeps_a_lease_that_is_renewed_every_ten_seconds() {
    let (server, client) = server();
    let (_stop, _kubelet) = run(kubelet(&server).node("east").node("west").heartbeats(true));
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    sleep(Duration::from_secs(5)).await;
    assert_eq!(names(&client, LEASES).await, ["east", "west"]);
    let renewed = async || {
        let lease = get(&client, &format!("{LEASES}/west")).await;
        assert_eq!(lease["metadata"]["ownerReferences"][0]["kind"], "Node");
        assert_eq!(lease["spec"]["holderIdentity"], "west");
        lease["spec"]["renewTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok()).expect("a time")
    };
    let first = renewed().await;
    sleep(Duration::from_secs(20)).await;
    let later = renewed().await;
    assert_eq!(later.duration_since(first).as_secs(), 20);
    assert!(server.now().duration_since(later).as_secs() < 10, "it is the server's time");
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_image_cannot_be_pulled_stays_pending() {
    let (server, client) = server();
    let _kubelet = run(kubelet(&server).startup(Duration::from_secs(4)));
    let mut missing = pod("web");
    missing["spec"]["containers"][0]["image"] = json!("web:404");
    create(&client, PODS, missing).await;
    let mut seen = Vec::new();
    for _ in 0..120 {
        sleep(Duration::from_secs(1)).await;
        let web = get(&client, &format!("{PODS}/web")).await;
        assert_eq!(web["status"]["phase"], "Pending");
        let reason = &web["status"]["containerStatuses"][0]["state"]["waiting"]["reason"];
        if seen.last() != Some(reason) {
            seen.push(reason.clone());
        }
    }
    assert_eq!(seen, [Value::Null, json!("ErrImagePull"), json!("ImagePullBackOff")]);
}
