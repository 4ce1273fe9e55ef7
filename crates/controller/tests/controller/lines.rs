//! The log lines of bad input: one clear line each.

use std::{fmt::Write as _, sync::Arc};

use k8s_openapi::api::core::v1::Pod;
use kube_client::{
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use parking_lot::Mutex;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};
use trimtab_apiserver::{Filter, Refusal};
use trimtab_controller::{Action, Controller, Request};
use trimtab_test_support::settle;

use crate::world::{Log, SECOND, World, during, run_for};

/// The lines that this thread has logged at the level `WARN` or above, and the fields of its spans.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    /// Records from now on, until the guard is dropped.
    pub(crate) fn capture() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(lines.clone()));
        (lines, guard)
    }

    pub(crate) fn containing(&self, text: &str) -> Vec<String> {
        self.lines.lock().iter().filter(|line| line.contains(text)).cloned().collect()
    }

    fn spans(&self) -> Vec<String> {
        self.spans.lock().clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= Level::WARN {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.lines.lock().push(line.0);
        }
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        self.spans.lock().push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

/// The line suggests the missing definition, once, and the run's error names the kind.
#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_is_one_line_and_one_error() {
    let (lines, _guard) = Lines::capture();
    let world = World::new();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Website"));
    let websites = world.informers.informer_with::<DynamicObject>(&resource);
    let controller = Controller::new_with("websites", &websites, &resource).reconciler(Log::default().done());
    let error = controller.run(std::future::pending()).await.expect_err("it is not served");
    let line = "no first list within the sync timeout from informers: websites.example.com (DynamicObject) \
                (the server refused: 404 ";
    assert!(error.to_string().starts_with(line), "{error}");
    let hint = "is the CustomResourceDefinition of this kind installed?";
    assert!(error.to_string().contains(hint), "{error}");
    let lines = lines.containing("list or watch failed");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(hint) && lines[0].contains("websites.example.com"), "{lines:?}");
}

/// 403 for minutes: missing RBAC.
#[tokio::test(start_paused = true)]
async fn missing_permission_is_one_line_for_minutes_and_one_again_after_it_was_there() {
    let (lines, _guard) = Lines::capture();
    let world = World::new();
    world.map("a").await;
    let refuse =
        || world.server.faults().refuse(Filter::any().resource("pods"), Refusal::forbidden(), usize::MAX);
    let refused = refuse();
    let controller = Controller::new("test", &world.maps)
        .owns(&world.informers.informer::<Pod>())
        .sync_timeout(600 * SECOND)
        .reconciler(Log::default().done());
    during(&controller, async {
        settle(300 * SECOND).await;
        let hint = "this process's account needs the verbs list and watch on the resource";
        let found = lines.containing("list or watch failed");
        assert!(found.len() == 1 && found[0].contains(hint) && found[0].contains("pods"), "{found:#?}");
        refused.release();
        settle(60 * SECOND).await;
        assert!(controller.status().sources[1].synced);
        let _refused = refuse();
        world.server.faults().cut_watches(&Filter::any().resource("pods"));
        settle(300 * SECOND).await;
        let found = lines.containing(hint);
        assert_eq!(found.len(), 2, "{found:#?}");
    })
    .await;
}

/// Logs and metrics could not tell them apart.
#[tokio::test(start_paused = true)]
async fn two_controllers_of_one_name_are_one_line() {
    let (lines, _guard) = Lines::capture();
    let world = World::new();
    let controllers = ["one-name", "one-name", "another"]
        .map(|name| Controller::new(name, &world.maps).reconciler(Log::default().done()));
    let [one, two, three] = &controllers;
    let (one, two, three) =
        tokio::join!(one.run(settle(SECOND)), two.run(settle(SECOND)), three.run(settle(SECOND)));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(lines.containing("another controller of this name runs in the process").len(), 1);
    run_for(&controllers[0], SECOND).await;
    assert_eq!(
        lines.containing("another controller of this name").len(),
        1,
        "one after the other is no matter"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_reconcile_is_one_line() {
    let (lines, _guard) = Lines::capture();
    let world = World::new();
    world.map("slow").await;
    world.map("fast").await;
    let controller = Controller::new("test", &world.maps).log_slower_than(3 * SECOND).reconciler(
        |request: Request| async move {
            if request.key.name() == "slow" {
                tokio::time::sleep(4 * SECOND).await;
            }
            Ok(Action::done())
        },
    );
    run_for(&controller, 10 * SECOND).await;
    let slow = lines.containing("slow reconcile");
    assert!(slow.len() == 1 && slow[0].contains("default/slow") && slow[0].contains("4s"), "{slow:?}");
}

/// A span for each reconcile.
#[tokio::test(start_paused = true)]
async fn a_reconcile_has_a_span_with_its_key_attempt_and_reasons() {
    let (lines, _guard) = Lines::capture();
    let world = World::new();
    world.map("a").await;
    let controller = Controller::new("test", &world.maps).reconciler(|request: Request| async move {
        if request.attempt == 0 { Err(trimtab_controller::Error::new("no")) } else { Ok(Action::done()) }
    });
    run_for(&controller, SECOND).await;
    let spans: Vec<_> = lines.spans().into_iter().filter(|span| span.starts_with("reconcile")).collect();
    let expected = [
        "reconcile controller=\"test\" key=default/a attempt=0 reasons=configmaps created priority=-100",
        "reconcile controller=\"test\" key=default/a attempt=1 reasons=test retried priority=-100",
    ];
    assert_eq!(spans, expected);
    assert_eq!(lines.containing("reconcile failed, retrying with backoff").len(), 1);
}
