//! Acquiring, renewing and releasing, as sequences of requests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, advance, sleep, timeout},
};
use trimtab_leaderelection::{LeaderElector, LeaderElectorBuilder, Leadership, Observer, Outcome};
use trimtab_test_support::settle;

use crate::lease_server::{LeaseServer, Link, Weather};

const LEASE: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);

fn builder(server: &LeaseServer, identity: &str) -> (LeaderElectorBuilder, Arc<Link>) {
    let (client, link) = server.client(0);
    (LeaderElector::builder(client, "default", "web").identity(identity), link)
}

/// A candidate in its own task. Its work waits for the notification that it must stop.
struct Candidate {
    link: Arc<Link>,
    observer: Observer,
    leaders: Arc<Mutex<Vec<String>>>,
    token: Arc<Mutex<Option<Leadership>>>,
    stop: oneshot::Sender<()>,
    outcome: JoinHandle<Outcome<()>>,
}

impl Candidate {
    fn start(
        server: &LeaseServer,
        identity: &str,
        set: impl FnOnce(LeaderElectorBuilder) -> LeaderElectorBuilder,
    ) -> Self {
        let (builder, link) = builder(server, identity);
        let leaders = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&leaders);
        let builder =
            builder.on_new_leader(move |leader| seen.lock().expect("unpoisoned").push(leader.to_owned()));
        let mut elector = set(builder).build().expect("sound settings");
        let observer = elector.observer();
        let token = Arc::new(Mutex::new(None));
        let handed_out = Arc::clone(&token);
        let (stop, stopped) = oneshot::channel::<()>();
        let outcome = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            elector
                .run(stopped, |leadership| async move {
                    *handed_out.lock().expect("unpoisoned") = Some(leadership.clone());
                    leadership.lost().await;
                })
                .await
        });
        Self { link, observer, leaders, token, stop, outcome }
    }

    fn is_leader(&self) -> bool {
        self.observer.is_leader()
    }

    fn token(&self) -> Leadership {
        self.token.lock().expect("unpoisoned").clone().expect("led at least once")
    }

    fn leaders(&self) -> Vec<String> {
        self.leaders.lock().expect("unpoisoned").clone()
    }

    async fn stop(self) -> Outcome<()> {
        self.stop.send(()).expect("still running");
        self.outcome.await.expect("no panic")
    }
}

/// LE-T1: the state of the Lease, the requests of the first attempt, and their result.
#[tokio::test(start_paused = true)]
async fn the_first_attempt_takes_what_is_free_and_leaves_what_is_held() {
    type Prepare = fn(&LeaseServer);
    let free: [(&str, Prepare, &[&str], i32); 5] = [
        ("no object", |_| {}, &["get", "create"], 0),
        (
            "no record",
            |server| {
                server.put(None, 0);
                server.wipe(false);
            },
            &["get", "update"],
            1,
        ),
        ("nobody's", |server| server.put(None, 0), &["get", "update"], 2),
        ("an empty holder, seen just now", |server| server.put(Some(""), 0), &["get", "update"], 2),
        ("our own", |server| server.put(Some("a"), 3600), &["get", "update"], 1),
    ];
    for (case, prepare, calls, transitions) in free {
        let server = LeaseServer::default();
        prepare(&server);
        let candidate = Candidate::start(&server, "a", |builder| builder);
        settle(Duration::from_millis(1)).await;
        assert!(candidate.is_leader(), "{case}");
        assert_eq!(candidate.link.take_calls(), calls, "{case}");
        assert_eq!(candidate.leaders().last().expect("a leader"), "a", "{case}");
        assert_eq!(server.record(), Some((Some("a".into()), Some(transitions), Some(15))), "{case}");
        assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
    }
}

/// LE-T1: a foreign record of 3 s, which was renewed an hour ago or will be in an hour, by the wall clock.
#[tokio::test(start_paused = true)]
async fn a_foreign_lease_is_taken_once_its_own_duration_has_passed_since_it_was_seen() {
    for ago in [3600, 0, -3600] {
        let server = LeaseServer::default();
        server.put(Some("b"), ago);
        let candidate = Candidate::start(&server, "a", |builder| builder);
        settle(Duration::from_millis(1)).await;
        assert_eq!(candidate.link.take_calls(), ["get"]);
        assert_eq!(server.record(), Some((Some("b".into()), Some(1), Some(3))), "the holder is unchanged");
        sleep(Duration::from_millis(2_990)).await;
        assert!(!candidate.is_leader());
        sleep(RETRY.mul_f64(2.2)).await;
        assert!(candidate.is_leader());
        assert_eq!(candidate.leaders(), ["b", "a"]);
        assert_eq!(server.record(), Some((Some("a".into()), Some(2), Some(15))));
    }
}

/// LE-T10.
#[tokio::test(start_paused = true)]
async fn a_leader_renews_without_reading() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder);
    settle(Duration::from_millis(1)).await;
    sleep(RETRY * 2).await;
    assert_eq!(candidate.link.take_calls(), ["get", "create", "update", "update"]);
}

/// LE-T11.
#[tokio::test(start_paused = true)]
async fn a_conflict_while_renewing_is_read_again_and_overcome_at_once() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder);
    settle(Duration::from_millis(1)).await;
    sleep(RETRY).await;
    candidate.link.refuse_update(409);
    sleep(RETRY * 2).await;
    let calls = ["get", "create", "update", "update", "get", "update", "update"];
    assert_eq!(candidate.link.take_calls(), calls);
    assert!(candidate.token().is_valid());
}

/// As upstream: between one and 2.2 retry periods.
#[tokio::test(start_paused = true)]
async fn candidates_spread_their_attempts() {
    let server = LeaseServer::default();
    server.put(Some("b"), 0);
    let (builder, link) = builder(&server, "a");
    link.set(Weather::Failing(503));
    let mut elector = builder.build().expect("sound settings");
    tokio::spawn(async move { elector.run(std::future::pending(), |_| async {}).await });
    let mut waits = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        while link.take_calls().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        waits.push(start.elapsed());
    }
    let (shortest, longest) = (waits.iter().skip(1).min(), waits.iter().max());
    assert!(shortest >= Some(&(RETRY - Duration::from_millis(20))), "{waits:?}");
    assert!(longest <= Some(&(RETRY.mul_f64(2.2) + Duration::from_millis(20))), "{waits:?}");
    assert!(longest > Some(&RETRY.mul_f64(1.2)), "{waits:?}");
}

/// LE-T4, LE-T5: the release reads, then writes.
#[tokio::test(start_paused = true)]
async fn a_released_lease_has_no_holder_and_the_same_transitions() {
    let server = LeaseServer::default();
    server.put(None, 0);
    let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
    settle(Duration::from_millis(1)).await;
    let (link, observer, leaders) =
        (candidate.link.clone(), candidate.observer.clone(), candidate.leaders.clone());
    link.take_calls();
    assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
    assert_eq!(link.take_calls(), ["get", "update"]);
    assert_eq!(server.record(), Some((None, Some(2), Some(1))));
    assert_eq!(observer.leader(), None);
    assert_eq!(*leaders.lock().expect("unpoisoned"), ["", "a", ""]);
}

/// LE-T6.
#[tokio::test(start_paused = true)]
async fn a_release_that_meets_a_conflict_reads_again() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
    settle(Duration::from_millis(1)).await;
    let link = candidate.link.clone();
    link.take_calls();
    link.refuse_update(409);
    assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
    assert_eq!(link.take_calls(), ["get", "update", "get", "update"]);
    assert_eq!(server.record().expect("a lease").0, None);
}

/// Upstream decides by its cached record, and overwrites the successor's.
#[tokio::test(start_paused = true)]
async fn a_release_leaves_a_successors_record_alone() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
    settle(Duration::from_millis(1)).await;
    server.put(Some("b"), 0);
    let link = candidate.link.clone();
    link.take_calls();
    assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
    assert_eq!(link.take_calls(), ["get"]);
    assert_eq!(server.record().expect("a lease").0.as_deref(), Some("b"));
}

/// LE-T7: a shutdown during a renewal, which arrives or is lost. LE-T8: a shutdown during a read.
#[tokio::test(start_paused = true)]
async fn a_shutdown_during_a_request_still_releases_the_lease() {
    let there = Duration::from_millis(500);
    for (weather, refused, last) in [
        (Weather::Fair { there, back: Duration::ZERO }, false, "update"),
        (Weather::Deaf { there }, false, "update"),
        (Weather::Fair { there, back: Duration::ZERO }, true, "get"),
    ] {
        let server = LeaseServer::default();
        let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
        settle(Duration::from_millis(1)).await;
        candidate.link.set(weather);
        if refused {
            candidate.link.refuse_update(500);
        }
        sleep(RETRY).await;
        let link = candidate.link.clone();
        assert_eq!(link.take_calls().last(), Some(&last), "in flight");
        link.set(Weather::Fair { there: Duration::from_millis(100), back: Duration::ZERO });
        assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
        assert_eq!(server.record().expect("a lease").0, None);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(server.record().expect("a lease").0, None, "what arrives late is refused");
    }
}

/// A candidate that is stopped during its first write must not leave a Lease behind.
#[tokio::test(start_paused = true)]
async fn a_shutdown_during_the_acquiring_write_releases_what_it_may_have_taken() {
    let server = LeaseServer::default();
    server.put(None, 0);
    let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
    candidate.link.set(Weather::Fair { there: Duration::ZERO, back: Duration::from_secs(1) });
    sleep(Duration::from_millis(1_500)).await; // read, then written, and not yet answered
    assert_eq!(server.record().expect("a lease").0.as_deref(), Some("a"));
    assert_eq!(candidate.stop().await, Outcome::NeverLed);
    assert_eq!(server.record().expect("a lease").0, None);
}

/// As upstream: no request after the shutdown was requested.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_is_shut_down_sends_nothing() {
    let server = LeaseServer::default();
    let (builder, link) = builder(&server, "a");
    let mut elector = builder.release_on_cancel(true).build().expect("sound settings");
    assert_eq!(elector.run(async {}, |_| async {}).await, Outcome::NeverLed);
    assert_eq!(link.take_calls(), [""; 0]);
}

/// Guarantee 5: requests without a response neither block an election nor extend a term.
#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_loses_its_token_one_renew_deadline_after_its_last_renewal() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
    settle(Duration::from_millis(1)).await;
    let token = candidate.token();
    candidate.link.set(Weather::Cut);
    let end = token.valid_until();
    assert!(end <= Instant::now() + RENEW);
    let outcome = timeout(LEASE, candidate.outcome).await.expect("no hang").expect("no panic");
    assert_eq!(outcome, Outcome::Lost(Some(())));
    assert_eq!(Instant::now(), end, "nothing is waited for, not even a release");
    assert!(!token.is_valid());
    token.lost().await;
}

/// The token's end counts from before the renewal was sent. Guards `let sent = …` in `Candidate::write`, which must be
/// above the request.
#[tokio::test(start_paused = true)]
async fn a_slow_reply_does_not_prolong_the_token() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder);
    candidate.link.set(Weather::Fair { there: Duration::ZERO, back: Duration::from_secs(3) });
    let start = Instant::now();
    sleep(Duration::from_secs(3 + 3) + Duration::from_millis(1)).await; // the read, then the write
    assert_eq!(candidate.token().valid_until(), start + Duration::from_secs(3) + RENEW);
}

/// Guarantee 3: the task is stalled from before the reply to a renewal until after the token's end.
/// Guards the comparison in `Term::extend`.
#[tokio::test(start_paused = true)]
async fn a_token_that_was_invalid_never_becomes_valid_again() {
    let server = LeaseServer::default();
    let (builder, link) = builder(&server, "a");
    let mut elector = builder.build().expect("sound settings");
    let (hand_out, mut handed_out) = oneshot::channel();
    let mut run = Box::pin(elector.run(std::future::pending(), |leadership| async move {
        hand_out.send(leadership.clone()).expect("still wanted");
        std::future::pending::<()>().await;
    }));
    assert!(timeout(RETRY - Duration::from_millis(1), &mut run).await.is_err());
    let token = handed_out.try_recv().expect("leads");
    link.set(Weather::Fair { there: Duration::ZERO, back: Duration::from_millis(100) });
    assert!(timeout(Duration::from_millis(2), &mut run).await.is_err());
    assert_eq!(link.take_calls(), ["get", "create", "update"], "the renewal is on its way");

    sleep(RENEW - Duration::from_secs(1)).await; // nobody polls the elector
    assert!(!token.is_valid());
    assert!(timeout(Duration::from_millis(1), &mut run).await.is_err(), "the reply is read");
    assert!(!token.is_valid());
    assert_eq!(run.await, Outcome::Lost(None));
}

/// The same, stalled between two renewals.
#[tokio::test(start_paused = true)]
async fn a_leader_that_slept_through_the_end_of_its_token_renews_nothing() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder);
    settle(Duration::from_millis(1)).await;
    let token = candidate.token();
    advance(RENEW).await; // everybody sleeps: nobody runs before the clock has moved
    assert!(!token.is_valid());
    assert_eq!(candidate.outcome.await.expect("no panic"), Outcome::Lost(Some(())));
    assert_eq!(candidate.link.take_calls(), ["get", "create"]);
}

/// A Lease that was edited, or deleted and taken by another candidate, is lost at once.
#[tokio::test(start_paused = true)]
async fn a_leader_that_finds_another_holder_stops_at_once() {
    for holder in [Some("b"), None] {
        let server = LeaseServer::default();
        let candidate = Candidate::start(&server, "a", |builder| builder);
        settle(Duration::from_millis(1)).await;
        server.put(holder, 0);
        let outcome = timeout(RETRY, candidate.outcome).await.expect("at the next renewal");
        assert_eq!(outcome.expect("no panic"), Outcome::Lost(Some(())));
        assert_eq!(server.record().expect("a lease").0.as_deref(), holder);
    }
}

/// The deletion of a Lease does not stop its holder.
#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_waited_for_by_who_saw_it_alive() {
    let server = LeaseServer::default();
    let leader = Candidate::start(&server, "a", |builder| builder);
    settle(Duration::from_millis(1)).await;
    let other = Candidate::start(&server, "b", |builder| builder);
    settle(Duration::from_millis(1)).await;
    leader.link.set(Weather::Cut);
    server.wipe(true);
    sleep(RENEW).await;
    assert!(!leader.token().is_valid());
    assert!(!other.is_leader(), "the lease was seen alive {RENEW:?} ago");
    sleep(RENEW).await;
    assert!(other.is_leader());
}

/// LE-T12: checks from another thread, while the lease is renewed.
#[tokio::test(start_paused = true)]
async fn checks_may_be_made_from_any_thread_at_any_time() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder);
    settle(Duration::from_millis(1)).await;
    let observer = candidate.observer.clone();
    let (runtime, (stop, stopped)) = (tokio::runtime::Handle::current(), std::sync::mpsc::channel::<()>());
    let checker = std::thread::spawn(move || {
        let _time = runtime.enter();
        let mut checks = 0;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            observer.check(LEASE).expect("healthy");
            checks += 1;
        }
        checks
    });
    for _ in 0..100 {
        sleep(RETRY).await;
    }
    drop(stop);
    assert!(checker.join().expect("no panic") > 0);
}

/// HZ-T1.
#[tokio::test(start_paused = true)]
async fn only_a_leader_that_has_not_renewed_for_too_long_is_unhealthy() {
    let server = LeaseServer::default();
    let (builder, _) = builder(&server, "a");
    let mut elector = builder.build().expect("sound settings");
    let observer = elector.observer();
    assert_eq!(observer.check(Duration::ZERO), Ok(()), "nothing is known yet");

    // The renewing task is not polled, as if the led work blocked its thread.
    let mut run = Box::pin(elector.run(std::future::pending(), |leadership| async move {
        leadership.lost().await;
    }));
    assert!(timeout(Duration::from_secs(1), &mut run).await.is_err());
    assert!(observer.is_leader());
    assert_eq!(observer.check(Duration::ZERO), Ok(()), "fresh");
    advance(LEASE).await;
    assert_eq!(observer.check(Duration::from_secs(2)), Ok(()), "expired within the tolerance");
    let error = observer.check(Duration::ZERO).expect_err("far expired");
    assert_eq!(error.to_string(), "leader of lease default/web has not renewed it for 16s");

    assert_eq!(run.await, Outcome::Lost(Some(())));
    assert_eq!(observer.check(Duration::ZERO), Ok(()), "not the leader any more");
}

/// The renewTime is valid in Go and has no representation here. It once stopped all candidates for a day.
#[tokio::test(start_paused = true)]
async fn a_lease_with_a_time_that_no_clock_can_express_expires_like_any_other() {
    let server = LeaseServer::default();
    server.put_spec(&serde_json::json!({
        "holderIdentity": "b", "leaseDurationSeconds": 3, "leaseTransitions": 1,
        "acquireTime": "0001-01-01T00:00:00.000000Z", "renewTime": "9999-12-31T23:59:59.999999Z",
    }));
    let candidate = Candidate::start(&server, "a", |builder| builder);
    sleep(Duration::from_millis(2_990)).await;
    assert!(!candidate.is_leader());
    sleep(RETRY.mul_f64(2.2)).await;
    assert!(candidate.is_leader());
    assert_eq!(server.record(), Some((Some("a".into()), Some(2), Some(15))));
}

/// An option. Without it, the next poll is up to 2.2 retry periods later.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_wakes_at_the_expiry_takes_the_lease_at_once() {
    for _ in 0..20 {
        let server = LeaseServer::default();
        server.put(Some("b"), 0);
        let candidate = Candidate::start(&server, "a", |builder| builder.wake_at_expiry(true));
        sleep(Duration::from_millis(2_999)).await;
        assert!(!candidate.is_leader());
        sleep(Duration::from_millis(60)).await;
        assert!(candidate.is_leader());
        let calls = candidate.link.take_calls();
        assert!(
            (3..=4).contains(&calls.len()),
            "polls after up to 4.4 s, then one read and one write: {calls:?}"
        );
    }
}

/// The requests of the leader and a follower in a minute: as upstream, also with the option.
#[tokio::test(start_paused = true)]
async fn waking_at_the_expiry_costs_no_request_while_the_leader_renews() {
    let server = LeaseServer::default();
    let leader = Candidate::start(&server, "a", |builder| builder);
    settle(Duration::from_millis(1)).await;
    let follower = Candidate::start(&server, "b", |builder| builder.wake_at_expiry(true));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(leader.link.take_calls().len(), 2 + 300, "a read, a write, and a renewal each 2 s");
    let polls = follower.link.take_calls();
    assert!(polls.iter().all(|call| *call == "get") && (137..=300).contains(&polls.len()), "{}", polls.len());
}

/// Warm start: led work begins as soon as the response to the write is read.
#[tokio::test(start_paused = true)]
async fn led_work_begins_in_the_moment_in_which_the_lease_is_acquired() {
    let server = LeaseServer::default();
    let (builder, link) = builder(&server, "a");
    link.set(Weather::Fair { there: Duration::from_millis(1), back: Duration::from_millis(1) });
    let mut elector = builder.build().expect("sound settings");
    let start = Instant::now();
    let outcome = elector.run(std::future::pending(), |_| async { start.elapsed() }).await;
    let Outcome::Finished(took) = outcome else { panic!("{outcome:?}") };
    assert!(took <= Duration::from_millis(10), "two requests of 2 ms: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_changes_of_the_holder_are_a_stream() {
    let server = LeaseServer::default();
    let candidate = Candidate::start(&server, "a", |builder| builder.release_on_cancel(true));
    let mut changes = candidate.observer.changes();
    assert_eq!(changes.next().await.as_deref(), Some("a"));
    assert_eq!(candidate.observer.transitions(), Some(0));
    assert!(timeout(LEASE, changes.next()).await.is_err(), "renewals are no changes");
    let mut late = candidate.observer.changes();
    assert_eq!(late.next().await.as_deref(), Some("a"), "the present holder comes first");
    assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
    assert_eq!(changes.next().await.as_deref(), Some(""));
    assert_eq!(changes.next().await, None, "the elector is gone");
    assert_eq!(changes.next().await, None);
}
