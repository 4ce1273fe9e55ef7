//! The sections and the checks of a process, read from its admin server without a socket.

use http::Request;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube_client::{Api, api::PostParams};
use tower::ServiceExt;
use trimtab_admin::Admin;
use trimtab_apiserver::{ApiServer, Filter, Refusal};
use trimtab_controller::{Action, Controller, Error, informer::InformerFactory};
use trimtab_test_support::settle;

use super::*;

async fn get(admin: &Admin, path: &str) -> (u16, String) {
    let request = Request::builder().uri(path).body(String::new()).expect("a request");
    let response = admin.router().oneshot(request).await.expect("the router answers");
    let code = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (code, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(start_paused = true)]
async fn the_debug_page_shows_every_part_and_no_object() {
    let server = ApiServer::start();
    for name in ["bad", "good", "slow"] {
        let map = json!({"metadata": {"name": name}, "data": {"password": "tell-nobody"}});
        let map: ConfigMap = serde_json::from_value(map).expect("a ConfigMap");
        Api::default_namespaced(server.client()).create(&PostParams::default(), &map).await.expect("created");
    }
    let secrets = Filter::any().resource("secrets");
    let _refused = server.faults().refuse(secrets, Refusal::forbidden(), usize::MAX);

    let informers = InformerFactory::new(server.client());
    let maps = informers.informer::<ConfigMap>();
    let _secrets = informers.informer::<Secret>();
    let controller = Controller::new("maps", &maps).workers(2).reconciler(|request| async move {
        match request.key.name() {
            "bad" => Err(Error::new("no colour")),
            "slow" => std::future::pending().await,
            _ => Ok(Action::done()),
        }
    });
    let process = ManagerHandle {
        name: "test".into(),
        informers: informers.clone(),
        controllers: [(controller.handle(), true)].into(),
        observer: None,
        optional: [].into(),
    };
    let debugged = Debugged { process, gates: None };
    let (builder, sampler) = debugged.add_to(Admin::builder().debug(true));
    let admin = builder.build();
    let stop = crate::shutdown::Stop::new();
    let sampling = tokio::spawn(sampler.start(stop.shutdown()));
    informers.start();
    let story = async {
        settle(Duration::from_secs(30)).await;
        let (code, text) = get(&admin, "/debug.json").await;
        assert_eq!(code, 200);
        let page: Value = serde_json::from_str(&text).expect("JSON");
        let (failing, watching) = match page["informers"].as_array().map(Vec::as_slice) {
            Some([maps, secrets]) if maps["informer"] == "configmaps" => (secrets, maps),
            Some([secrets, maps]) => (secrets, maps),
            other => panic!("{other:?}"),
        };
        assert_eq!((&watching["phase"], &watching["objects"]), (&json!("watching"), &json!(3)));
        assert_eq!((&failing["phase"], &failing["synced"]), (&json!("waiting to try again"), &json!(false)));
        assert!(failing["last error"].as_str().is_some_and(|error| error.contains("403")), "{failing}");
        assert_eq!(failing["failing for"], "30.000 s");
        assert!(failing["restarts"].as_u64() > Some(2), "{failing}");
        let queue = &page["queues"][0];
        assert_eq!(
            (&queue["controller"], &queue["reconciling"], &queue["depth"]),
            (&json!("maps"), &json!(1), &json!(0))
        );
        let in_flight = &page["reconciles in flight"][0];
        assert_eq!((&in_flight["key"], &in_flight["queued again"]), (&json!("default/slow"), &json!(false)));
        assert!(
            in_flight["age"].as_str().is_some_and(|age| age.starts_with("29.9") || age.starts_with("30.")),
            "{in_flight}"
        );
        let failed = &page["keys in backoff"][0];
        assert_eq!((&failed["key"], &failed["last error"]), (&json!("default/bad"), &json!("no colour")));
        assert!(failed["failures"].as_u64() > Some(5) && failed["next attempt in"].is_string(), "{failed}");
        assert_eq!(page["keys parked"], json!([]));
        assert_eq!(page["sources"][0]["source"], "configmaps");
        assert_eq!(page["leadership"], "no leader election");
        assert!(page["rates"]["over"].is_string(), "{}", page["rates"]);
        let gates = page["gates"].as_array().expect("a table");
        assert!(gates.iter().any(|gate| gate["name"] == "WatchListClient"), "{gates:?}");

        let (_, html) = get(&admin, "/debug").await;
        assert!(html.contains("<h2>informers</h2>") && html.contains("configmaps"));
        assert!(!text.contains("tell-nobody") && !html.contains("tell-nobody"));

        assert_eq!(get(&admin, "/readyz").await.0, 500);
        assert!(get(&admin, "/readyz/informers-synced").await.1.contains("not synced: secrets"));
        assert_eq!(get(&admin, "/livez").await.0, 200);
    };
    tokio::select! {
        ended = controller.run(std::future::pending()) => panic!("ended: {ended:?}"),
        () = story => {}
    }
    stop.request();
    sampling.await.expect("no panic").expect("no failure");
}
