//! Wrong flags, missing permissions, a second process, and selectors of nothing and of everything: one clear line each.

use std::{future::pending, path::Path, time::Duration};

use clap::Parser;
use http_body_util::BodyExt;
use kube_client::{Api, Client, api::PostParams, client::Body};
use serde_json::{Value, json};
use tower::service_fn;
use trimtab_apiserver::{ApiServer, Filter, User, Verb};
use trimtab_examples::controller_manager::{Options, Selected, add_to, features, run};
use trimtab_manager::{Manager, ManagerBuilder};
use trimtab_test_support::{log::Log, settle};

use super::cluster::{Cluster, SECOND, deployment};

#[derive(Debug, Parser)]
#[command(name = "trimtab-controller-manager")]
struct Args {
    #[command(flatten)]
    options: Options,
}

fn parsed(arguments: &[&str]) -> Result<Args, clap::Error> {
    Args::try_parse_from(["trimtab-controller-manager"].iter().chain(arguments))
}

#[test]
fn an_unknown_controller_is_named_with_the_known_ones() {
    let error = parsed(&["--controllers=deployment,daemonset"]).expect_err("unknown");
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    let line = text.lines().next().expect("a line");
    let known = "deployment-controller or deployment, replicaset-controller or replicaset";
    let expected = format!(
        "error: invalid value 'deployment,daemonset' for '--controllers <LIST>': \"daemonset\" is not in the list of known \
         controllers: {known}"
    );
    assert_eq!(line, expected);
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_read_is_named() {
    let path = "/nowhere/kubeconfig";
    assert!(!Path::new(path).exists());
    let options = parsed(&["--kubeconfig", path]).expect("known flags").options;
    let error =
        run(options, &features().expect("the gates")).await.expect_err("there is no such file").to_string();
    assert!(error.starts_with("the kubeconfig cannot be used: ") && error.contains(path), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

fn manager(builder: ManagerBuilder) -> Manager {
    let mut manager = builder.build().expect("sound settings");
    let all: Selected = "*".parse().expect("all controllers");
    add_to(&mut manager, &all, [2, 2]);
    manager
}

#[tokio::test(start_paused = true)]
async fn missing_permissions_are_named_with_the_kind_and_the_user() {
    let server = ApiServer::builder().rbac(true).start();
    let client = server.client_for(User::new("ada"));
    let builder = Manager::with_client_that_may_retry("test", client).sync_timeout(10 * SECOND);
    let error = manager(builder).run_until(pending()).await.expect_err("it may list nothing").to_string();
    assert!(error.starts_with("informers: not synced: "), "{error}");
    for kind in ["deployments", "replicasets", "pods"] {
        let refused = format!("is forbidden: User \"ada\" cannot list resource \"{kind}\"");
        assert!(error.contains(&refused), "{error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_second_process_stands_by_without_a_write_and_takes_over() {
    let (log, _logged) = Log::capture(
        |metadata| metadata.target() == "trimtab_manager::led",
        |line, field, value| line.push_str(&format!("{field}={value:?} ")),
    );
    let server = ApiServer::builder().request_log(true).start();
    let candidate = |name: &'static str| {
        let builder = Manager::with_client_that_may_retry("test", server.client_as(name));
        let builder = builder.leader_election("kube-system", "test");
        manager(builder.election_settings(move |elector| elector.identity(name)))
    };
    let first = tokio::spawn(candidate("first").run_until(pending()));
    settle(5 * SECOND).await;
    log.take();
    let second = candidate("second");
    let observer = second.observer().expect("an election");
    let second = tokio::spawn(second.run_until(pending()));
    let web = serde_json::from_value(deployment(2, &json!({}))).expect("a Deployment");
    let deployments: Api<k8s_openapi::api::apps::v1::Deployment> = Api::default_namespaced(server.client());
    deployments.create(&PostParams::default(), &web).await.expect("created");
    settle(30 * SECOND).await;
    assert_eq!((observer.leader().as_deref(), observer.is_leader()), (Some("first"), false));
    let writes = || {
        let of_second = server.request_log().matching(&Filter::any().user_agent("second"));
        of_second.iter().filter(|one| !matches!(one.verb, Verb::Get | Verb::List | Verb::Watch)).count()
    };
    assert_eq!(writes(), 0, "a second process writes nothing");
    let line = r#"message=another process leads: standing by lease="kube-system/test" holder="first" "#;
    assert_eq!(log.take(), [line], "one clear line");
    first.abort(); // the Lease is not released
    settle(30 * SECOND).await;
    assert!(observer.is_leader() && writes() > 0);
    second.abort();
}

/// A server refuses such selectors, so no controller meets them unless they were stored before.
#[tokio::test(start_paused = true)]
async fn a_selector_of_nothing_or_of_everything_is_refused_by_the_server() {
    let cluster = Cluster::start();
    for (selector, because) in [
        (json!({"matchLabels": {"app": "other"}}), "`selector` does not match template `labels`"),
        (json!({}), "empty selector is invalid for deployment"),
    ] {
        let web =
            serde_json::from_value(deployment(2, &json!({"selector": selector}))).expect("a Deployment");
        let refused = cluster.deployments().create(&PostParams::default(), &web).await.expect_err("refused");
        assert!(refused.to_string().contains(because), "{refused}");
    }
}

/// Returns a client that reads Deployments with this selector instead of their own.
fn with_selector(client: Client, selector: &Value) -> Client {
    let (own, other) = (json!({"matchLabels": {"app": "web"}}).to_string(), selector.to_string());
    let service = service_fn(move |request: http::Request<Body>| {
        let (client, own, other) = (client.clone(), own.clone(), other.clone());
        async move {
            let response = client.send(request).await?;
            let replaced =
                move |text: &[u8]| String::from_utf8_lossy(text).replace(&own, &other).into_bytes();
            let body =
                |body: Body| body.map_frame(move |frame| frame.map_data(|data| replaced(&data).into()));
            Ok::<_, kube_client::Error>(response.map(body))
        }
    });
    Client::new(service, "default")
}

#[tokio::test(start_paused = true)]
async fn a_stored_deployment_that_selects_everything_gets_an_event_and_no_pod() {
    let mut cluster = Cluster::start_with(|client| with_selector(client, &json!({})));
    cluster.create(2, &json!({})).await;
    settle(Duration::from_secs(60)).await;
    let expected =
        "Warning SelectingAll This deployment is selecting all pods. A non-empty selector is required.";
    // The status of the first sync leads to a second one, as upstream's.
    assert_eq!(cluster.events.take_all(), [expected; 2]);
    assert!(cluster.pods().await.is_empty() && cluster.images().await.is_empty());
    let web = cluster.web().await;
    assert_eq!(web.status.and_then(|status| status.observed_generation), web.metadata.generation);
}

/// The set is created with the template's labels, which its own selector does not match.
#[tokio::test(start_paused = true)]
async fn a_stored_deployment_that_selects_nothing_reports_that_its_set_is_invalid() {
    let selector = json!({"matchLabels": {"app": "none"}});
    let mut cluster = Cluster::start_with(|client| with_selector(client, &selector));
    cluster.create(2, &json!({"progressDeadlineSeconds": 60})).await;
    settle(Duration::from_secs(10)).await;
    assert_eq!(cluster.progressing().await, ("False".to_owned(), "ReplicaSetCreateError".to_owned()));
    let events = cluster.events.take_all();
    let because = "`selector` does not match template `labels`";
    assert!(
        events[0].starts_with("Warning ReplicaSetCreateError ") && events[0].contains(because),
        "{events:?}"
    );
    assert!(cluster.pods().await.is_empty() && cluster.images().await.is_empty());
}
