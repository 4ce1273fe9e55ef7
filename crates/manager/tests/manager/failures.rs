//! Failures and bad input: each one clear line, and everything ends.

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::api::{ApiResource, DynamicObject, GroupVersionKind};
use tokio::time::{Instant, sleep};
use trimtab_admin::Admin;
use trimtab_apiserver::{Filter, Refusal};
use trimtab_controller::{Action, Controller};
use trimtab_manager::Runnable;

use crate::world::{World, line};

#[tokio::test(start_paused = true)]
async fn the_first_failure_is_named_and_ends_the_others_in_order() {
    let world = World::new().await;
    let mut manager = world.manager();
    let broken = Runnable::new("broken", |_| async {
        sleep(Duration::from_secs(3)).await;
        Err(Box::<dyn Error + Send + Sync>::from("no disk"))
    });
    manager
        .runnable(broken)
        .runnable(world.runnable("led").led())
        .runnable(world.runnable("server").before_informers());
    let start = Instant::now();
    let error = manager.run_until(std::future::pending()).await.expect_err("a failure");
    assert_eq!(
        (error.to_string(), error.part()),
        ("runnable broken: no disk".to_owned(), Some("runnable broken"))
    );
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(world.log.lines(), ["start server", "start led", "stop led", "stop server"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_with_its_message() {
    let world = World::new().await;
    let mut manager = world.manager();
    let panics = Runnable::new("panics", |_| async {
        sleep(Duration::from_secs(1)).await;
        let drawers: Result<(), &str> = Err("the drawer is empty");
        drawers.map_err(|problem| panic!("{problem}"))
    });
    manager.runnable(panics.led());
    let ended = manager.run_until(std::future::pending()).await;
    assert_eq!(line(ended), "runnable panics: panicked: the drawer is empty");
}

#[tokio::test(start_paused = true)]
async fn two_controllers_of_one_name_are_refused() {
    let world = World::new().await;
    let mut manager = world.manager();
    let maps = manager.informers().informer::<ConfigMap>();
    manager
        .controller(world.controller("maps", &maps))
        .controller_on_every_replica(world.controller("maps", &maps));
    let ended = manager.run_until(std::future::pending()).await;
    assert_eq!(line(ended), "two controllers are called \"maps\"; each needs a name of its own");
    assert_eq!(world.server.request_log().matching(&Filter::any().user_agent("manager")).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_is_named_after_the_sync_timeout() {
    let world = World::new().await;
    let mut manager = world.manager();
    let websites = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Website"));
    let informer = manager.informers().informer_with::<DynamicObject>(&websites);
    let controller = Controller::new_with("websites", &informer, &websites);
    manager.controller(controller.reconciler(|_| async { Ok(Action::done()) }));
    let start = Instant::now();
    let text = line(manager.run_until(std::future::pending()).await);
    assert_eq!(start.elapsed().as_secs(), 120);
    let expected =
        "informers: not synced: websites.example.com (DynamicObject) (waiting until the kind is served: ";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn missing_permissions_are_named_after_the_sync_timeout() {
    let world = World::new().await;
    let maps = Filter::any().resource("configmaps").user_agent("manager");
    let _refused = world.server.faults().refuse(maps, Refusal::forbidden(), usize::MAX);
    let manager = world.builder().sync_timeout(Duration::from_secs(200)).build().expect("sound settings");
    let _maps = manager.informers().informer::<ConfigMap>();
    let start = Instant::now();
    let text = line(manager.run_until(std::future::pending()).await);
    assert_eq!(start.elapsed().as_secs(), 200);
    assert!(text.starts_with("informers: not synced: configmaps (waiting to try again: "), "{text}");
    assert!(text.contains("403"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_the_first_lists() {
    let world = World::new().await;
    let _held = world.server.faults().hold(Filter::any().user_agent("manager"));
    let manager = world.manager();
    let _maps = manager.informers().informer::<ConfigMap>();
    let start = Instant::now();
    manager.run_until(sleep(Duration::from_secs(2))).await.expect("a shutdown is no failure");
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_port_in_use_is_named_and_nothing_starts() {
    let world = World::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let manager = world.builder().admin(&address, Admin::builder());
    let mut manager = manager.build().expect("sound settings");
    manager.runnable(world.runnable("server").before_informers());
    let text = line(manager.run_until(std::future::pending()).await);
    assert!(text.starts_with(&format!("admin server: listening on {address}: ")), "{text}");
    assert!(text.contains("in use"), "{text}");
    assert!(world.log.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_outlasts_the_grace_period_is_named() {
    for is_led in [false, true] {
        let world = World::new().await;
        let builder = world.builder().grace_period(Duration::from_secs(4));
        let builder = if is_led { builder.leader_election("default", "test") } else { builder };
        let mut manager = builder.build().expect("sound settings");
        let maps = manager.informers().informer::<ConfigMap>();
        let stuck = Controller::new("stuck", &maps).reconciler(|_| std::future::pending());
        manager.controller(stuck);
        let start = Instant::now();
        let text = line(manager.run_until(sleep(Duration::from_secs(9))).await);
        assert_eq!(
            text, "controller stuck: reconciles exceeded the grace period and were aborted: default/a",
            "led: {is_led}"
        );
        assert_eq!(start.elapsed().as_secs(), 13);
    }
}

#[tokio::test(start_paused = true)]
async fn a_runnable_that_outlasts_the_grace_period_is_named() {
    for place in ["replica", "led", "server"] {
        let world = World::new().await;
        let builder = world.builder().grace_period(Duration::from_secs(4)).leader_election("default", "test");
        let mut manager = builder.build().expect("sound settings");
        let deaf = Runnable::new("deaf", |_| std::future::pending::<Result<(), std::convert::Infallible>>());
        manager.runnable(match place {
            "led" => deaf.led(),
            "server" => deaf.before_informers(),
            _ => deaf,
        });
        let start = Instant::now();
        let text = line(manager.run_until(sleep(Duration::from_secs(9))).await);
        assert_eq!(
            text, "runnable deaf did not end within the grace period of 4s and was aborted",
            "{place}"
        );
        assert_eq!(start.elapsed().as_secs(), 13, "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_grace_period_may_be_nothing_or_endless() {
    const DAY: u64 = 86_400;
    for (grace_period, seconds, expected) in [
        (Duration::ZERO, 9, "runnable slow did not end within the grace period of 0ns and was aborted"),
        (Duration::MAX, 9 + DAY, ""),
    ] {
        let world = World::new().await;
        let mut manager = world.builder().grace_period(grace_period).build().expect("sound settings");
        manager.runnable(Runnable::new("slow", |shutdown| async {
            shutdown.await;
            sleep(Duration::from_secs(DAY)).await;
            Ok::<(), std::convert::Infallible>(())
        }));
        let start = Instant::now();
        let ended = manager.run_until(sleep(Duration::from_secs(9))).await;
        assert_eq!(ended.map_or_else(|error| error.to_string(), |()| String::new()), expected);
        assert_eq!(start.elapsed().as_secs(), seconds, "{grace_period:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_that_contradict_each_other_are_refused() {
    let world = World::new().await;
    let short = |elector: trimtab_controller::leaderelection::LeaderElectorBuilder| {
        elector.lease_duration(Duration::from_secs(5))
    };
    let refused = world.builder().leader_election("default", "test").election_settings(short).build();
    assert_eq!(
        refused.expect_err("contradicts").to_string(),
        "the leader election cannot be built: lease_duration of 5s must be longer than renew_deadline of 10s"
    );
    let refused = world.builder().rate_limit(-1.0, 1).build().expect_err("no rate").to_string();
    assert!(refused.starts_with("the rate limit of the client is invalid: "), "{refused}");
    let idle = world.manager();
    let maps = idle.informers().informer::<ConfigMap>();
    let controller = Controller::new("idle", &maps).workers(0).reconciler(|_| async { Ok(Action::done()) });
    let mut manager = idle;
    manager.controller(controller);
    let text = line(manager.run_until(std::future::pending()).await);
    assert_eq!(text, "controller idle: the controller has 0 workers, but needs at least 1");
}

#[test]
fn a_manager_outside_a_runtime_is_refused() {
    let config = kube_client::Config::new("http://127.0.0.1:1".parse().expect("a URL"));
    let refused = trimtab_manager::Manager::builder("test", config).build().expect_err("no runtime");
    assert_eq!(refused.to_string(), "a manager must be built inside a tokio runtime");
}

#[cfg(feature = "args")]
#[tokio::test]
async fn an_unreadable_kubeconfig_is_named_and_is_no_usage_error() {
    use clap::Parser;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        manager: trimtab_manager::ManagerArgs,
    }

    let options = Options::try_parse_from(["web", "--kubeconfig", "/nowhere/config"]).expect("parses");
    let error = options.manager.config().await.expect_err("no file");
    let text = error.to_string();
    assert!(
        text.starts_with("the kubeconfig cannot be used: ") && text.contains("/nowhere/config"),
        "{text}"
    );
    assert!(!error.is_usage());
    let unknown = Options::try_parse_from(["web", "--feature-gates", "Nothing=true"]);
    let unknown = unknown.err().expect("no such gate");
    assert_eq!(unknown.exit_code(), 2);
}
