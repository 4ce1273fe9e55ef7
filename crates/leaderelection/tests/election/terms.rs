//! Led work, its token and its Lease at the end of a term.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, sleep, timeout},
};
use trimtab_leaderelection::{LeaderElector, LeaderElectorBuilder, Leadership, Outcome};

use crate::lease_server::{LeaseServer, Weather};

const GRACE: Duration = Duration::from_secs(20);

fn builder(server: &LeaseServer) -> LeaderElectorBuilder {
    let (client, _) = server.client(0);
    LeaderElector::builder(client, "default", "web").identity("a").grace_period(GRACE).release_on_cancel(true)
}

fn holder(server: &LeaseServer) -> Option<String> {
    server.record().expect("a lease").0
}

/// A process may have a thousand followers. Guards the boxes around requests and terms.
#[tokio::test(start_paused = true)]
async fn the_future_of_a_candidate_is_small() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let size = size_of_val(&elector.run(pending(), |_| pending::<()>()));
    assert!(size <= 2048, "{size} bytes");
}

/// Guarantee 4. Guards `drop(term)` in `LeaderElector::term`, which must be above the release.
#[tokio::test(start_paused = true)]
async fn the_lease_is_kept_while_led_work_winds_up_and_released_after_it_has_ended() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let outcome = elector
        .run(sleep(Duration::from_secs(5)), |leadership| async {
            leadership.lost().await;
            for _ in 0..18 {
                sleep(Duration::from_secs(1)).await; // longer than the lease
                assert!(leadership.is_valid());
                assert_eq!(holder(&server).as_deref(), Some("a"));
            }
            leadership
        })
        .await;
    let Outcome::ShutDown(Some(leadership)) = outcome else { panic!("the work returned: {outcome:?}") };
    assert_eq!(holder(&server), None);
    assert!(!leadership.is_valid());
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_wind_up_is_dropped_after_the_grace_period_and_then_the_lease_is_released() {
    struct Bomb<'a>(&'a LeaseServer);
    impl Drop for Bomb<'_> {
        fn drop(&mut self) {
            assert_eq!(holder(self.0).as_deref(), Some("a"), "not released before the work is dropped");
        }
    }

    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let start = Instant::now();
    let bomb = Bomb(&server);
    let outcome: Outcome<()> = elector
        .run(sleep(Duration::from_secs(5)), |_| async move {
            let _bomb = bomb;
            pending().await
        })
        .await;
    assert_eq!(outcome, Outcome::ShutDown(None));
    assert_eq!(start.elapsed(), Duration::from_secs(5) + GRACE);
    assert_eq!(holder(&server), None);
}

#[tokio::test(start_paused = true)]
async fn work_that_returns_ends_the_term_with_what_it_returned() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    assert_eq!(elector.run(pending(), |_| async { 7 }).await, Outcome::Finished(7));
    assert_eq!(holder(&server), None);
    assert_eq!(elector.run(pending(), |_| async { 8 }).await, Outcome::Finished(8), "and may stand again");
}

/// Half of the rest of the Lease: 10 s and 2.5 s.
#[tokio::test(start_paused = true)]
async fn work_that_goes_on_after_a_loss_is_dropped_before_the_lease_can_be_taken() {
    let server = LeaseServer::default();
    let (client, link) = server.client(0);
    let mut elector = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
    let start = Instant::now();
    let cut = &link;
    let outcome: Outcome<()> = elector
        .run(pending(), |_| async move {
            cut.set(Weather::Cut);
            pending().await
        })
        .await;
    assert_eq!(outcome, Outcome::Lost(None));
    assert_eq!(start.elapsed(), Duration::from_millis(12_500));
}

/// The cancel safety of `run`.
#[tokio::test(start_paused = true)]
async fn every_token_ends_when_the_election_is_dropped_or_the_work_panics() {
    for panics in [false, true] {
        let server = LeaseServer::default();
        let mut elector = builder(&server).build().expect("sound settings");
        let observer = elector.observer();
        let kept = Arc::new(Mutex::new(None::<Leadership>));
        let keep = Arc::clone(&kept);
        let (go, wait) = oneshot::channel::<()>();
        let run = tokio::spawn(async move {
            elector
                .run(pending(), |leadership| async move {
                    *keep.lock().expect("unpoisoned") = Some(leadership);
                    wait.await.expect("told to go on");
                    panic!("as a test wants it");
                })
                .await
        });
        sleep(Duration::from_secs(30)).await;
        let token = kept.lock().expect("unpoisoned").clone().expect("leads");
        assert!(token.is_valid() && observer.is_leader());
        if panics {
            go.send(()).expect("it waits");
        } else {
            run.abort();
        }
        let ended: Result<Outcome<()>, _> = run.await;
        assert!(ended.is_err());
        assert!(!token.is_valid() && !observer.is_leader());
        timeout(Duration::ZERO, token.lost()).await.expect("lost");
        assert_eq!(holder(&server).as_deref(), Some("a"), "it expires");
    }
}

/// `run_terms` competes for a lost Lease again, with the same work.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_lost_its_lease_stands_again() {
    let server = LeaseServer::default();
    let (client, link) = server.client(0);
    let mut elector = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
    let terms = Mutex::new(0);
    let outcome = elector
        .run_terms(sleep(Duration::from_secs(100)), |leadership| {
            *terms.lock().expect("unpoisoned") += 1;
            let (terms, link) = (&terms, &link);
            async move {
                if *terms.lock().expect("unpoisoned") < 3 {
                    link.set(Weather::Failing(500));
                }
                leadership.lost().await;
                link.set(Weather::CLEAR);
            }
        })
        .await;
    assert_eq!(outcome, Outcome::ShutDown(Some(())));
    assert_eq!(*terms.lock().expect("unpoisoned"), 3);
}

/// Guarantee 6.
#[tokio::test(start_paused = true)]
async fn nothing_is_spawned() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks(); // the client has one
    let outcome = elector
        .run(sleep(Duration::from_secs(5)), |leadership| async move {
            leadership.lost().await;
            tasks()
        })
        .await;
    assert_eq!(outcome, Outcome::ShutDown(Some(before)));
    assert_eq!(tasks(), before);
}

/// Guarantee 4. Guards `self.tasks.ended()` in `Work::ended`.
#[tokio::test(start_paused = true)]
async fn the_lease_is_released_after_the_last_task_of_led_work_has_ended() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let start = Instant::now();
    let outcome = elector
        .run(pending(), |leadership| {
            let (server, guard) = (server.clone(), leadership.work_guard("task").expect("leads"));
            async move {
                tokio::spawn(async move {
                    leadership.lost().await; // the future below has returned
                    sleep(Duration::from_secs(18)).await; // longer than the lease
                    assert!(leadership.is_valid());
                    assert_eq!(holder(&server).as_deref(), Some("a"));
                    drop(guard);
                });
            }
        })
        .await;
    assert_eq!((outcome, start.elapsed()), (Outcome::Finished(()), Duration::from_secs(18)));
    assert_eq!(holder(&server), None);
}

/// Guarantee 4: after the grace period, every remaining task was aborted or blocks its thread. A task that ends a little
/// later is still awaited, with an invalid token.
#[tokio::test(start_paused = true)]
async fn a_task_that_outlasts_the_grace_period_a_little_is_awaited_before_the_release() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let observed = server.clone();
    let outcome: Outcome<()> = elector
        .run(sleep(Duration::from_secs(5)), |leadership| {
            let guard = leadership.work_guard("task").expect("leads");
            tokio::spawn(async move {
                leadership.lost().await;
                sleep(GRACE + Duration::from_millis(2_500)).await;
                assert!(!leadership.is_valid());
                assert_eq!(holder(&observed).as_deref(), Some("a"));
                drop(guard);
            });
            pending()
        })
        .await;
    assert_eq!(outcome, Outcome::ShutDown(None));
    assert_eq!(holder(&server), None);
}

/// Guarantee 4 and KEP-5366: a task that cannot be ended keeps the Lease, and the caller must exit.
#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_keeps_the_lease_until_it_expires_and_the_process_must_exit() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    let kept = Mutex::new(None);
    let lead = |leadership: Leadership| {
        *kept.lock().expect("unpoisoned") =
            Some((leadership.work_guard("stuck").expect("leads"), leadership));
        pending::<()>()
    };
    let outcome = elector.run(sleep(Duration::from_secs(5)), lead).await;
    assert!(outcome.must_exit());
    assert_eq!(outcome, Outcome::Unfinished { output: None, tasks: vec!["stuck".into()] });
    assert_eq!(holder(&server).as_deref(), Some("a"), "it expires");
    let (guard, leadership) = kept.lock().expect("unpoisoned").take().expect("led");
    assert!(!leadership.is_valid());
    assert!(leadership.work_guard("late").is_err(), "nothing joins a term that is over");

    // No next run begins before it has ended.
    let mut next = Box::pin(elector.run(pending(), |_| async { 7 }));
    assert!(timeout(Duration::from_secs(600), &mut next).await.is_err(), "it is not a candidate");
    drop(guard);
    assert_eq!(timeout(Duration::from_secs(60), next).await, Ok(Outcome::Finished(7)));
}

/// A lost Lease: the tasks are notified at the token's end, and given up before another candidate can lead.
#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_after_a_loss_is_reported_before_the_lease_can_be_taken() {
    let server = LeaseServer::default();
    let (client, link) = server.client(0);
    let mut elector = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
    let (start, kept) = (Instant::now(), Mutex::new(None));
    let outcome: Outcome<()> = elector
        .run_terms(pending(), |leadership| {
            link.set(Weather::Cut);
            *kept.lock().expect("unpoisoned") = Some(leadership.work_guard("stuck").expect("leads"));
            pending()
        })
        .await;
    assert!(outcome.must_exit());
    assert_eq!(start.elapsed(), Duration::from_millis(13_750), "10 s and three quarters of 5 s");
}

#[tokio::test(start_paused = true)]
async fn led_work_knows_its_own_token_and_nobody_else_has_one() {
    let server = LeaseServer::default();
    let mut elector = builder(&server).build().expect("sound settings");
    assert!(Leadership::current().is_none());
    let outcome = elector
        .run(pending(), |_| {
            let called = Leadership::current().is_some();
            async move {
                let polled = Leadership::current().is_some_and(|token| token.is_valid());
                let spawned =
                    tokio::spawn(async { Leadership::current().is_some() }).await.expect("no panic");
                (called, polled, spawned)
            }
        })
        .await;
    assert_eq!(outcome, Outcome::Finished((true, true, false)));
}

#[tokio::test(start_paused = true)]
async fn durations_without_end_neither_panic_nor_wrap() {
    let server = LeaseServer::default();
    let (client, _) = server.client(0);
    let builder = LeaderElector::builder(client, "default", "web");
    let builder = builder.lease_duration(Duration::MAX).grace_period(Duration::MAX).release_on_cancel(true);
    let mut elector = builder.build().expect("sound settings");
    let observer = elector.observer();
    let outcome = elector
        .run(sleep(Duration::from_secs(5)), |leadership| async move {
            leadership.lost().await;
            assert_eq!(observer.check(Duration::MAX), Ok(()));
            sleep(Duration::from_secs(3600)).await;
        })
        .await;
    assert_eq!(outcome, Outcome::ShutDown(Some(())));
}
