//! The sections and the checks of a process, read from its admin server without a socket.

use http::Request;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube_client::{Api, api::PostParams};
use tower::ServiceExt;
use trimtab_admin::Admin;
use trimtab_apiserver::{ApiServer, Filter, Refusal};
use trimtab_controller::{
    Action, Controller, Error, informer::InformerFactory, leaderelection::LeaderElector,
};
use trimtab_test_support::settle;

use super::*;

async fn get(admin: &Admin, path: &str) -> (u16, String) {
    let request = Request::builder().uri(path).body(String::new()).expect("a request");
    let response = admin.router().oneshot(request).await.expect("the router answers");
    let code = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (code, String::from_utf8_lossy(&body).into_owned())
}

const SECOND: Duration = Duration::from_secs(1);

/// Returns a process with three kinds of trouble: Secrets that must not be listed, a controller whose keys fail, wait and
/// hang, and one with a single worker, which hangs with its first key. It leads.
async fn process(server: &ApiServer) -> (ManagerHandle, Controller, Controller, LeaderElector) {
    for name in ["bad", "good", "parked", "slow"] {
        let map = json!({"metadata": {"name": name}, "data": {"password": "tell-nobody"}});
        let map: ConfigMap = serde_json::from_value(map).expect("a ConfigMap");
        Api::default_namespaced(server.client()).create(&PostParams::default(), &map).await.expect("created");
    }
    let informers = InformerFactory::new(server.client());
    let maps = informers.informer::<ConfigMap>();
    let _secrets = informers.informer::<Secret>();
    let troubled = Controller::new("troubled", &maps).workers(2).reconciler(|request| async move {
        match request.key.name() {
            "bad" => Err(Error::new("no colour")),
            "parked" => Err(Error::waiting(300 * SECOND, "the creation of Pod web-0")),
            "slow" => std::future::pending().await,
            _ => Ok(Action::done()),
        }
    });
    let stuck = Controller::new("stuck", &maps)
        .workers(1)
        .reconciler(|_| std::future::pending::<Result<Action, Error>>());
    let elector = LeaderElector::builder(server.client(), "default", "test").identity("web-0").build();
    let elector = elector.expect("sound settings");
    let process = ManagerHandle {
        name: "test".into(),
        informers,
        controllers: [(troubled.handle(), true), (stuck.handle(), true)].into(),
        observer: Some(elector.observer()),
        optional: [].into(),
    };
    (process, troubled, stuck, elector)
}

/// Returns the row of a section whose `column` has this value.
fn row<'a>(page: &'a Value, section: &str, column: &str, value: &str) -> &'a Value {
    let rows = page[section].as_array().unwrap_or_else(|| panic!("{section} is no table: {page}"));
    rows.iter()
        .find(|row| row[column] == value)
        .unwrap_or_else(|| panic!("{value} is not in {section}: {rows:?}"))
}

/// Returns the seconds of a text such as `29.950 s`.
fn in_seconds(text: &Value) -> f64 {
    let number = text.as_str().and_then(|text| text.strip_suffix(" s")?.parse().ok());
    number.unwrap_or_else(|| panic!("{text} is no duration"))
}

#[tokio::test(start_paused = true)]
async fn the_debug_page_shows_every_part_and_no_object() {
    let server = ApiServer::start();
    let secrets = Filter::any().resource("secrets");
    let _refused = server.faults().refuse(secrets, Refusal::forbidden(), usize::MAX);
    let (process, troubled, stuck, mut elector) = process(&server).await;
    process.informers.start();
    let debugged = Debugged { process, gates: None };
    let (builder, sampler) = debugged.add_to(Admin::builder().debug(true));
    let admin = builder.build();
    let stop = crate::shutdown::Stop::new();
    let sampling = tokio::spawn(sampler.start(stop.shutdown()));
    let story = async {
        settle(30 * SECOND).await;
        let (code, text) = get(&admin, "/debug.json").await;
        assert_eq!(code, 200);
        let page: Value = serde_json::from_str(&text).expect("JSON");
        informers_are_shown(&page);
        queues_are_shown(&page);
        keys_are_shown(&page);
        let leadership = &page["leadership"];
        assert_eq!((&leadership["holder"], &leadership["leads"]), (&json!("web-0"), &json!(true)));
        assert!((5.0..=15.0).contains(&in_seconds(&leadership["remaining"])), "{leadership}");
        let rates = &page["rates"];
        assert_eq!(rates["over"], "30 s");
        for rate in ["reconciles per second", "failures per second", "bytes per second"] {
            assert!(rates[rate].as_f64() > Some(0.0), "{rates}");
        }
        let gate = row(&page, "gates", "name", "WatchListClient");
        assert_eq!((&gate["enabled"], &gate["stage"]), (&json!(true), &json!("BETA")));

        let (_, html) = get(&admin, "/debug").await;
        assert!(html.contains("<h2>informers</h2>") && html.contains("configmaps"));
        assert!(!text.contains("tell-nobody") && !html.contains("tell-nobody"));

        assert_eq!(get(&admin, "/readyz").await.0, 500);
        assert!(get(&admin, "/readyz/informers-synced").await.1.contains("not synced: secrets"));
        assert_eq!(get(&admin, "/livez").await.0, 200);
    };
    tokio::select! {
        ended = troubled.run(std::future::pending()) => panic!("ended: {ended:?}"),
        ended = stuck.run(std::future::pending()) => panic!("ended: {ended:?}"),
        ended = elector.run(std::future::pending(), |leadership| async move { leadership.lost().await }) => {
            panic!("ended: {ended:?}")
        }
        () = story => {}
    }
    stop.request();
    sampling.await.expect("no panic").expect("no failure");
}

fn informers_are_shown(page: &Value) {
    let watching = row(page, "informers", "informer", "configmaps");
    assert_eq!((&watching["phase"], &watching["objects"]), (&json!("watching"), &json!(4)));
    assert!((0.0..60.0).contains(&in_seconds(&watching["lag"])), "{watching}");
    assert!(watching["bytes"].as_u64() > Some(500), "{watching}");
    let failing = row(page, "informers", "informer", "secrets");
    assert_eq!((&failing["phase"], &failing["synced"]), (&json!("waiting to try again"), &json!(false)));
    assert!(failing["last error"].as_str().is_some_and(|error| error.contains("403")), "{failing}");
    assert_eq!(failing["failing for"], "30.000 s");
    assert!(failing["restarts"].as_u64() > Some(2), "{failing}");
}

fn queues_are_shown(page: &Value) {
    let troubled = row(page, "queues", "controller", "troubled");
    assert_eq!((&troubled["reconciling"], &troubled["depth"]), (&json!(1), &json!(0)));
    assert_eq!((&troubled["parked"], &troubled["oldest key"]), (&json!(1), &Value::Null));
    let stuck = row(page, "queues", "controller", "stuck");
    assert_eq!((&stuck["depth"], &stuck["oldest key"]), (&json!(3), &json!("default/good")));
    assert!((29.0..=30.0).contains(&in_seconds(&stuck["its age"])), "{stuck}");
    assert_eq!(row(page, "sources", "controller", "troubled")["source"], "configmaps");
}

fn keys_are_shown(page: &Value) {
    let in_flight = row(page, "reconciles in flight", "key", "default/slow");
    assert_eq!(in_flight["queued again"], false);
    assert!((29.0..=30.0).contains(&in_seconds(&in_flight["age"])), "{in_flight}");
    let failed = row(page, "keys in backoff", "key", "default/bad");
    assert_eq!(failed["last error"], "no colour");
    assert!(failed["failures"].as_u64() > Some(5) && failed["next attempt in"].is_string(), "{failed}");
    let parked = row(page, "keys parked", "key", "default/parked");
    assert_eq!(
        (&parked["controller"], &parked["waits for"]),
        (&json!("troubled"), &json!("the creation of Pod web-0"))
    );
    assert!((270.0..=300.0).contains(&in_seconds(&parked["at most"])), "{parked}");
}
