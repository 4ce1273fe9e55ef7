//! The metrics of a controller, as a scrape shows them; the README and the dashboard have all names.

use std::collections::BTreeSet;

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use trimtab_controller::{
    Action, Controller, Error, expectations, informer, leaderelection, metrics, workqueue,
};

use crate::world::{Log, SECOND, World, run_for};

/// ME-T1: controller-runtime's names and labels.
#[tokio::test(start_paused = true)]
async fn a_scrape_shows_the_results_of_reconciles() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let world = World::new();
    for name in ["done", "fails", "later", "panics", "requeues", "terminal", "times-out", "waits"] {
        world.map(name).await;
    }
    let controller = ::metrics::with_local_recorder(&recorder, || Controller::new("web", &world.maps));
    let controller = controller.workers(3).max_retries(0).reconcile_timeout(SECOND).reconciler(
        |request: trimtab_controller::Request| async move {
            match request.key.name() {
                "fails" => Err(Error::new("no")),
                "later" => Ok(Action::requeue_after(3600 * SECOND)),
                "panics" => panic!("a defect"),
                "requeues" if request.reasons.to_string().contains("configmaps") => Ok(Action::requeue()),
                "terminal" => Err(Error::terminal("no")),
                "times-out" => std::future::pending().await,
                "waits" => Err(Error::waiting(3600 * SECOND, "pods")),
                _ => Ok(Action::done()),
            }
        },
    );
    run_for(&controller, 10 * SECOND).await;
    let text = handle.render();
    let scraped = |series: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")));
        line.unwrap_or_else(|| panic!("{series} is missing in:\n{text}")).parse().expect("a number")
    };
    for (result, count) in [("success", 2.0), ("error", 4.0), ("requeue", 1.0), ("requeue_after", 2.0)] {
        let series = format!("{}{{controller=\"web\",result=\"{result}\"}}", metrics::RECONCILE_TOTAL);
        assert_eq!(scraped(&series), count, "{result}");
    }
    for (name, value) in [
        (metrics::RECONCILE_ERRORS_TOTAL, 4.0),
        (metrics::TERMINAL_RECONCILE_ERRORS_TOTAL, 1.0),
        (metrics::RECONCILE_PANICS_TOTAL, 1.0),
        (metrics::RECONCILE_TIMEOUTS_TOTAL, 1.0),
        (metrics::MAX_CONCURRENT_RECONCILES, 3.0),
        (metrics::ACTIVE_WORKERS, 0.0),
        ("controller_runtime_reconcile_time_seconds_count", 9.0),
    ] {
        assert_eq!(scraped(&format!("{name}{{controller=\"web\"}}")), value, "{name}");
    }
    for name in metrics::NAMES {
        assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
    }
}

/// Every series exists before the first failure: an alert on a rate needs the 0.
#[tokio::test(start_paused = true)]
async fn every_series_is_there_from_the_start() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let world = World::new();
    let controller = ::metrics::with_local_recorder(&recorder, || Controller::new("web", &world.maps));
    run_for(&controller.reconciler(Log::default().done()), SECOND).await;
    let text = recorder.handle().render();
    for name in metrics::NAMES.iter().filter(|name| !name.ends_with("_seconds")) {
        assert!(text.contains(&format!("{name}{{controller=\"web\"")), "{name} in:\n{text}");
    }
}

/// All names that a controller, its queue, its informers, its ledger and its elector report.
fn names() -> BTreeSet<&'static str> {
    let queue = [
        workqueue::metrics::DEPTH,
        workqueue::metrics::ADDS_TOTAL,
        workqueue::metrics::QUEUE_DURATION_SECONDS,
        workqueue::metrics::WORK_DURATION_SECONDS,
        workqueue::metrics::UNFINISHED_WORK_SECONDS,
        workqueue::metrics::LONGEST_RUNNING_PROCESSOR_SECONDS,
        workqueue::metrics::RETRIES_TOTAL,
    ];
    let informers = [
        informer::metrics::LISTS_TOTAL,
        informer::metrics::LIST_DURATION_SECONDS,
        informer::metrics::ITEMS_PER_LIST,
        informer::metrics::WATCHES_TOTAL,
        informer::metrics::SHORT_WATCHES_TOTAL,
        informer::metrics::WATCH_DURATION_SECONDS,
        informer::metrics::ITEMS_PER_WATCH,
        informer::metrics::LAST_RESOURCE_VERSION,
        informer::metrics::STORE_RESOURCE_VERSION,
        informer::metrics::PROCESSING_LATENCY_SECONDS,
        informer::metrics::FAILURES_TOTAL,
        informer::metrics::MALFORMED_OBJECTS_TOTAL,
        informer::metrics::UNDECODABLE_OBJECTS,
        informer::metrics::SYNCED,
    ];
    let own_writes = [
        expectations::metrics::WAITS_TOTAL,
        expectations::metrics::EXPIRED_TOTAL,
        expectations::metrics::KEYS,
        expectations::metrics::PARKED,
    ];
    let election = [
        leaderelection::metrics::MASTER_STATUS,
        leaderelection::metrics::SLOWPATH_TOTAL,
        leaderelection::metrics::RENEWAL_DURATION,
        leaderelection::metrics::REMAINING_VALIDITY,
    ];
    metrics::NAMES.into_iter().chain(queue).chain(informers).chain(own_writes).chain(election).collect()
}

#[test]
fn the_readme_lists_every_metric() {
    let readme = include_str!("../../README.md");
    for name in names() {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}

/// The variables that filter the queries of the dashboard.
const VARIABLES: [&str; 4] = ["controller", "name", "ledger", "lease"];

/// The dashboard asks for no metric that nobody reports, shows every metric of the controller and its parts, and filters
/// each query by the variables that it declares.
#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let text = include_str!("../../../../docs/dashboards/controller.json");
    let dashboard: Value = serde_json::from_str(text).expect("JSON");
    let mut asked = BTreeSet::new();
    let panels = dashboard["panels"].as_array().expect("panels");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().expect("a title");
        let targets = panel["targets"].as_array().unwrap_or_else(|| panic!("{title} has targets"));
        for target in targets {
            let query = target["expr"].as_str().unwrap_or_else(|| panic!("{title} has a query"));
            let found = metrics_in(query);
            assert!(!found.is_empty(), "{title} asks for no metric: {query}");
            for name in found {
                let known = names();
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
                let is_known = known.contains(name.as_str()) || base.is_some_and(|base| known.contains(base));
                assert!(is_known, "{title} asks for {name}, which nobody reports");
                asked.insert(base.filter(|base| known.contains(base)).map_or(name.clone(), str::to_owned));
            }
            let is_filtered = VARIABLES.iter().any(|variable| query.contains(&format!("${variable}")));
            assert!(is_filtered, "{title} is filtered: {query}");
        }
    }
    let must_be_shown = names().into_iter().filter(|name| !name.starts_with("reflector_items"));
    let missing: Vec<_> = must_be_shown.filter(|name| !asked.contains(*name)).collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let declared: BTreeSet<_> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    assert!(VARIABLES.iter().all(|name| declared.contains(name)), "{declared:?}");
    let ids: BTreeSet<_> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}

/// Returns the names of the metrics in a query: words that begin as ours do.
fn metrics_in(query: &str) -> Vec<String> {
    let words = query.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let prefixes =
        ["controller_runtime_", "workqueue_", "reflector_", "informer_", "expectations_", "leader_election_"];
    words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix))).map(str::to_owned).collect()
}
