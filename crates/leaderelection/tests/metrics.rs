//! The metrics of a named elector, as a scrape shows them. One test, because the recorder is global.

use std::{future::pending, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::sleep;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_leaderelection::{LeaderElector, LeaderElectorBuilder, Outcome, metrics};

fn scraped(handle: &PrometheusHandle, metric: &str) -> Option<f64> {
    let text = handle.render();
    let series = format!("{metric}{{name=\"test\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&series));
    line.map(|value| value.parse().expect("a number"))
}

/// The names and labels of client-go's elector.
#[tokio::test(start_paused = true)]
async fn a_scrape_shows_whether_a_named_elector_leads_and_how_often_it_had_to_read_the_lease() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder).expect("the only recorder");
    let status = || scraped(&handle, metrics::MASTER_STATUS);
    let slow_path = || scraped(&handle, metrics::SLOWPATH_TOTAL);
    let server = ApiServer::start();
    let builder = || -> LeaderElectorBuilder { LeaderElector::builder(server.client(), "default", "web") };

    let mut nameless = builder().release_on_cancel(true).build().expect("sound settings");
    _ = nameless.run(pending(), |_| async {}).await;
    assert!(!handle.render().contains("leader_election"), "no name, no metrics");

    let mut elector = builder().metrics_name("test").build().expect("sound settings");
    assert_eq!((status(), slow_path()), (Some(0.0), Some(0.0)), "from the start");
    let faults = server.faults();
    let conflict = || {
        let updates = Filter::any().verb(Verb::Update).resource("leases.coordination.k8s.io");
        faults.refuse(updates, Refusal::conflict(), 1).leave();
    };
    let outcome = elector
        .run(pending(), |leadership| async move {
            sleep(Duration::from_secs(60)).await;
            let fast = (status(), slow_path());
            conflict();
            sleep(Duration::from_secs(60)).await;
            assert!(leadership.is_valid());
            (fast, (status(), slow_path()))
        })
        .await;
    let expected = ((Some(1.0), Some(0.0)), (Some(1.0), Some(1.0)));
    assert_eq!((outcome, status()), (Outcome::Finished(expected), Some(0.0)));
}
