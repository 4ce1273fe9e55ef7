//! The results of a reconcile, and what becomes of the key. The behaviours are controller-runtime's:
//! `pkg/internal/controller/controller_test.go`, docs/upstream-behaviours.md.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::sleep;
use trimtab_controller::{
    Action, Controller, Error, EventKind, Ledger, Reconcile, Request,
    workqueue::limiter::{ExponentialLimiter, RateLimiter as _},
};
use trimtab_test_support::settle;

use crate::world::{Log, MS, SECOND, World, during, key, run_for};

/// CR-T1: `Result{Requeue: true}` is rate limited: without a limiter, this key would be reconciled without end.
#[tokio::test(start_paused = true)]
async fn a_requeue_is_rate_limited() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let controller =
        Controller::new("test", &world.maps).reconciler(log.returning(|_| Ok(Action::requeue())));
    run_for(&controller, 10 * SECOND).await;
    let intervals = log.intervals();
    assert_eq!(intervals[..4], [5, 10, 20, 40], "the delays of the limiter");
    assert!((11..=12).contains(&log.len()), "{intervals:?}");
    assert!(log.requests().iter().all(|request| request.attempt == 0), "not a failure");
    assert_eq!(controller.status().failures, 0);
}

/// CR-T2: `RequeueAfter` forgets the key at the limiter, and is not rate limited.
#[tokio::test(start_paused = true)]
async fn a_requeue_after_a_time_forgets_the_failures() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let count = AtomicUsize::new(0);
    let controller = Controller::new("test", &world.maps).reconciler(log.returning(move |_| {
        match count.fetch_add(1, SeqCst) {
            0..3 | 4..6 => Err(Error::new("no")),
            3 => Ok(Action::requeue_after(SECOND)),
            _ => Ok(Action::done()),
        }
    }));
    run_for(&controller, 10 * SECOND).await;
    assert_eq!(log.intervals(), [5, 10, 20, 1000, 5, 10]);
    let attempts: Vec<_> = log.requests().iter().map(|request| request.attempt).collect();
    assert_eq!(attempts, [0, 1, 2, 3, 0, 1, 2]);
}

/// CR-T3: `RequeueAfter: 0` is done.
#[tokio::test(start_paused = true)]
async fn a_requeue_after_no_time_is_done() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps)
        .reconciler(log.returning(|_| Ok(Action::requeue_after(Duration::ZERO))));
    run_for(&controller, 3600 * SECOND).await;
    assert_eq!(log.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_requeue_now_takes_no_time_and_leaves_the_turn_to_others() {
    let world = World::new();
    world.map("a").await;
    world.map("b").await;
    let log = Log::default();
    let count = AtomicUsize::new(0);
    let controller = Controller::new("test", &world.maps).reconciler(log.returning(move |_| {
        Ok(if count.fetch_add(1, SeqCst) < 4 { Action::requeue_now() } else { Action::done() })
    }));
    run_for(&controller, SECOND).await;
    assert_eq!(log.names(), ["a", "b", "a", "b", "a", "b"]);
    assert_eq!(log.intervals(), [0; 5]);
}

/// CR-T4: an error is retried with backoff; CR-T5: a terminal error is not.
#[tokio::test(start_paused = true)]
async fn errors_are_retried_by_their_class() {
    let world = World::new();
    for name in ["retryable", "terminal", "later"] {
        world.map(name).await;
    }
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.returning(|request| {
        Err(match request.key.name() {
            "terminal" => Error::terminal("never"),
            "later" => Error::retry_after(7 * SECOND, "429"),
            _ => Error::new("no"),
        })
    }));
    run_for(&controller, 20 * SECOND).await;
    let count = |name: &str| log.names().iter().filter(|reconciled| *reconciled == name).count();
    assert_eq!((count("terminal"), count("later")), (1, 3));
    assert!((11..=13).contains(&count("retryable")), "5 ms, doubling: {}", count("retryable"));
    let status = controller.status();
    assert_eq!((status.terminal, status.failing), (1, 0), "the run has ended, and its keys with it");
}

/// The states of keys, as a debug page shows them while the controller runs.
#[tokio::test(start_paused = true)]
async fn keys_that_fail_or_wait_are_visible_with_their_errors() {
    let world = World::new();
    for name in ["fails", "gives-up", "waits", "works"] {
        world.map(name).await;
    }
    let controller =
        Controller::new("test", &world.maps).workers(4).reconciler(|request: Request| async move {
            match request.key.name() {
                "fails" => Err(Error::new("no disk")),
                "gives-up" => Err(Error::terminal("no such image")),
                "waits" => Err(Error::waiting(60 * SECOND, "pods")),
                _ => pending().await,
            }
        });
    during(&controller, async {
        settle(SECOND).await;
        let handle = controller.handle();
        let keys = handle.keys();
        let shown: Vec<_> = keys
            .iter()
            .map(|key| {
                (key.key.name(), key.last_error.as_deref(), key.waits_for.as_deref(), key.due.is_some())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("fails", Some("no disk"), None, true),
                ("gives-up", Some("no such image"), None, false),
                ("waits", None, Some("pods"), true),
                ("works", None, None, false),
            ]
        );
        assert!(keys[0].failures > 3 && keys[0].failing_since.is_some());
        assert_eq!(keys[3].since.map(|since| since.elapsed().as_secs()), Some(1), "in work since the start");
        let status = handle.status();
        assert_eq!((status.failing, status.parked, status.processing, status.running), (2, 1, 1, true));
    })
    .await;
}

/// A reconcile that waits for its own writes is no failure: the key is woken by the event, at the latest by the limit.
#[tokio::test(start_paused = true)]
async fn a_key_that_waits_for_own_writes_is_parked_and_woken() {
    let world = World::new();
    let uid = world.map("a").await.metadata.uid.expect("a UID");
    let ledger = Ledger::new();
    let log = Log::default();
    let pending_write = ledger.expect_creation(&key("a"), &uid, "pods");
    let checked = ledger.clone();
    let controller =
        Controller::new("test", &world.maps).woken_by(&ledger).reconciler(log.returning(move |request| {
            checked.ready(&request.key, |_| None)?;
            Ok(Action::done())
        }));
    during(&controller, async {
        settle(20 * SECOND).await;
        assert_eq!(log.len(), 1, "no retries");
        assert_eq!((controller.status().failures, controller.status().parked), (0, 1));
        pending_write.refused();
        settle(MS).await;
        assert_eq!((log.len(), controller.status().parked), (2, 0));
        let woken = &log.requests()[1];
        assert!(woken.reasons.has(EventKind::Woken), "{}", woken.reasons);
        assert_eq!(woken.attempt, 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parked_key_runs_again_at_its_limit() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps)
        .max_retries(0)
        .reconciler(log.returning(|_| Err(Error::waiting(30 * SECOND, "an event that never comes"))));
    run_for(&controller, 100 * SECOND).await;
    assert_eq!(log.intervals(), [30_000; 3]);
}

/// CR-T6: `ReconciliationTimeout`. The worker is free again, and the future was dropped.
#[tokio::test(start_paused = true)]
async fn a_reconcile_that_hangs_is_given_up_after_the_timeout() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let world = World::new();
    world.map("hangs").await;
    world.map("other").await;
    let (log, dropped) = (Log::default(), Arc::new(AtomicBool::new(false)));
    let controller = Controller::new("test", &world.maps).reconciler({
        let (log, dropped) = (log.clone(), dropped.clone());
        move |request: Request| {
            log.record(&request);
            let dropped = Dropped(dropped.clone());
            async move {
                if request.key.name() == "hangs" {
                    pending::<()>().await;
                }
                std::mem::forget(dropped); // only a dropped future sets the flag
                Ok(Action::done())
            }
        }
    });
    run_for(&controller, 130 * SECOND).await;
    assert_eq!(log.names(), ["hangs", "other", "hangs"]);
    assert_eq!(log.intervals(), [120_000, 5], "the default is two minutes");
    assert!(dropped.load(SeqCst));
    let status = controller.status();
    assert_eq!((status.timeouts, status.failures, status.panics), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_timeout_can_be_set_and_switched_off() {
    for (timeout, timeouts) in [(Some(3 * SECOND), 1), (None, 0)] {
        let world = World::new();
        world.map("slow").await;
        let count = Arc::new(AtomicUsize::new(0));
        let controller = Controller::new("test", &world.maps).reconcile_timeout(timeout).reconciler({
            let count = count.clone();
            move |request: Request| {
                let count = count.clone();
                async move {
                    if request.attempt == 0 {
                        sleep(600 * SECOND).await;
                    }
                    count.fetch_add(1, SeqCst);
                    Ok(Action::done())
                }
            }
        });
        run_for(&controller, 700 * SECOND).await;
        assert_eq!((controller.status().timeouts, count.load(SeqCst)), (timeouts, 1), "{timeout:?}");
    }
}

/// CR-T7: `RecoverPanic`, whose default is true. kube-runtime's controller ends (defect 6).
#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_its_key_alone() {
    let world = World::new();
    world.map("panics").await;
    world.map("works").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).max_retries(2).reconciler({
        let log = log.clone();
        move |request: Request| {
            log.record(&request);
            assert_ne!(request.key.name(), "panics", "in the call, before there is a future");
            async { Ok(Action::done()) }
        }
    });
    run_for(&controller, 10 * SECOND).await;
    assert_eq!(log.names(), ["panics", "works", "panics", "panics"]);
    assert_eq!(controller.status().panics, 3);
}

/// The bounded set of reasons: what was merged while the key waited.
#[tokio::test(start_paused = true)]
async fn a_request_has_the_reasons_that_were_merged_while_its_key_waited() {
    let world = World::new();
    let owner = world.map("a").await;
    let pods = world.informers.informer::<k8s_openapi::api::core::v1::Pod>();
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).owns(&pods).reconciler({
        let log = log.clone();
        move |request: Request| {
            log.record(&request);
            async move {
                sleep(SECOND).await;
                match request.attempt {
                    0 if request.reasons.has(EventKind::Deleted) => Err(Error::new("once")),
                    _ => Ok(Action::done()),
                }
            }
        }
    });
    during(&controller, async {
        settle(500 * MS).await; // the first reconcile is running
        world.touch("a", "1").await;
        world.touch("a", "2").await;
        world.pod(serde_json::json!({"name": "p", "ownerReferences": crate::world::owned_by(&owner)})).await;
        settle(3 * SECOND).await;
        world.delete("a").await;
        settle(3 * SECOND).await;
    })
    .await;
    let reasons: Vec<_> = log.requests().iter().map(|request| request.reasons.to_string()).collect();
    assert_eq!(reasons[0], "configmaps created");
    assert_eq!(reasons[1], "configmaps updated, pods created");
    assert!(reasons[2].contains("configmaps deleted"), "{reasons:?}");
    assert_eq!(reasons.last().map(String::as_str), Some("test retried"));
}

#[tokio::test(start_paused = true)]
async fn a_struct_reconciles() {
    struct Counting(AtomicUsize);
    impl Reconcile for Counting {
        async fn reconcile(self: Arc<Self>, _request: Request) -> Result<Action, Error> {
            self.0.fetch_add(1, SeqCst);
            sleep(MS).await;
            Ok(if self.0.load(SeqCst) < 3 { Action::requeue_now() } else { Action::done() })
        }
    }
    let world = World::new();
    world.map("a").await;
    let controller = Controller::new("test", &world.maps).reconcile_by(Counting(AtomicUsize::new(0)));
    run_for(&controller, SECOND).await;
    assert_eq!(controller.status().reconciles, 3);
}

/// CR-T8: `NewQueue` and `RateLimiter`.
#[tokio::test(start_paused = true)]
async fn a_limiter_can_be_chosen_and_begins_anew_in_each_run() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps)
        .limiter(|| ExponentialLimiter::new(SECOND, 100 * SECOND))
        .max_backoff(3 * SECOND)
        .reconciler(log.returning(|_| Err(Error::new("no"))));
    for _ in 0..2 {
        controller.run(settle(7 * SECOND)).await.expect("stopped");
        assert_eq!(log.intervals(), [1000, 2000, 3000]);
        log.clear();
    }
    let mut limiter = ExponentialLimiter::new(SECOND, 100 * SECOND);
    assert_eq!(limiter.when(&key("a"), tokio::time::Instant::now()), SECOND);
}
