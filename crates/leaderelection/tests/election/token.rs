//! The end of a token, by several clocks and from several threads.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use trimtab_leaderelection::{Clock, LeaderElector, Leadership, Outcome, TokioClock};

use crate::lease_server::{LeaseServer, Weather};

#[tokio::test(start_paused = true)]
async fn check_fails_with_the_names_of_the_lease_and_the_candidate_once_the_term_is_over() {
    let server = LeaseServer::default();
    let (client, _) = server.client(0);
    let mut elector =
        LeaderElector::builder(client, "default", "web").identity("a").build().expect("sound settings");
    let outcome = elector
        .run(pending(), |leadership| async move {
            leadership.check().expect("leads");
            assert!(leadership.remaining() <= Duration::from_secs(10));
            assert_eq!(leadership.valid_until(), Instant::now() + leadership.remaining());
            leadership
        })
        .await;
    let Outcome::Finished(leadership) = outcome else { panic!("{outcome:?}") };
    let error = leadership.check().expect_err("over");
    assert_eq!(error.to_string(), "a does not lead default/web any more");
    assert_eq!((error.lease(), leadership.remaining()), ("default/web", Duration::ZERO));
    timeout(Duration::ZERO, leadership.ended()).await.expect("at once");
}

/// A clock that runs while tokio's timers are suspended.
#[derive(Debug, Clone)]
struct Suspended {
    running: TokioClock,
    suspended: Arc<AtomicU64>,
}

impl Clock for Suspended {
    fn now(&self) -> Duration {
        self.running.now() + Duration::from_secs(self.suspended.load(SeqCst))
    }
}

/// The leader's machine was suspended: the token has ended at once, and the work is dropped within a retry period, since
/// another candidate may already lead.
#[tokio::test(start_paused = true)]
async fn a_suspension_counts_for_the_leader() {
    let server = LeaseServer::default();
    let (client, link) = server.client(0);
    let clock = Suspended { running: TokioClock::new(), suspended: Arc::default() };
    let mut elector = LeaderElector::builder(client, "default", "web")
        .clock(clock.clone())
        .build()
        .expect("sound settings");
    let start = Instant::now();
    let outcome: Outcome<()> = elector
        .run(pending(), |leadership| {
            let (clock, link) = (clock.clone(), &link);
            async move {
                let token = leadership.clone();
                tokio::spawn(async move { token.lost().await });
                sleep(Duration::from_secs(3)).await;
                link.take_calls();
                clock.suspended.store(3600, SeqCst);
                assert!(!leadership.is_valid());
                pending().await
            }
        })
        .await;
    assert_eq!(outcome, Outcome::Lost(None));
    assert!(start.elapsed() <= Duration::from_secs(3 + 2), "{:?}", start.elapsed());
    assert_eq!(link.take_calls(), [""; 0], "nothing is sent for a term that is over");
}

/// The follower's machine was suspended. It reads the Lease before it takes it, as the Lease may have been renewed.
#[tokio::test(start_paused = true)]
async fn a_suspension_of_a_follower_takes_no_lease_from_a_leader_that_renews() {
    let server = LeaseServer::default();
    let (client, _) = server.client(0);
    let mut leader = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
    tokio::spawn(async move { leader.run(pending(), |_| pending::<()>()).await });
    sleep(Duration::from_secs(1)).await;
    let (client, _) = server.client(0);
    let clock = Suspended { running: TokioClock::new(), suspended: Arc::default() };
    let suspended = clock.suspended.clone();
    let follower = LeaderElector::builder(client, "default", "web").clock(clock);
    let mut follower = follower.build().expect("sound settings");
    let suspending = async move {
        for _ in 0..100 {
            sleep(Duration::from_millis(2_710)).await;
            suspended.fetch_add(30, SeqCst);
        }
    };
    tokio::select! {
        outcome = follower.run(pending(), |_| async {}) => panic!("took the Lease: {outcome:?}"),
        () = suspending => {}
    }
}

/// A clock that runs faster than tokio's.
#[derive(Debug)]
struct Fast(TokioClock, f64);

impl Clock for Fast {
    fn now(&self) -> Duration {
        self.0.now().mul_f64(self.1)
    }

    fn timer(&self, wait: Duration) -> Duration {
        Duration::from_secs_f64((wait.as_secs_f64() / self.1).min(1e9))
    }
}

/// The bound of the inequality: the follower's clock is faster than the leader's by nearly 1.5. A still faster follower
/// gets a token while the leader's is valid.
#[tokio::test(start_paused = true)]
async fn clocks_may_differ_by_the_ratio_of_lease_duration_and_renew_deadline_and_no_more() {
    for (rate, safe) in [(1.45, true), (1.7, false)] {
        let server = LeaseServer::default();
        let (client, link) = server.client(0);
        let (hand_out, mut tokens) = mpsc::unbounded_channel::<Leadership>();
        let mut leader = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
        let of_leader = hand_out.clone();
        tokio::spawn(async move {
            leader
                .run(pending(), |leadership| {
                    of_leader.send(leadership).expect("listened to");
                    pending::<()>()
                })
                .await
        });
        let first = tokens.recv().await.expect("leads");
        link.set(Weather::Cut); // right after the renewal, which is the follower's best case
        let (client, _) = server.client(0);
        let mut follower = LeaderElector::builder(client, "default", "web")
            .clock(Fast(TokioClock::new(), rate))
            .wake_at_expiry(true)
            .build()
            .expect("sound settings");
        let run = follower.run(pending(), |leadership| async move {
            hand_out.send(leadership).expect("listened to");
        });
        let (_, second) = tokio::join!(run, tokens.recv());
        assert!(second.is_some());
        assert_eq!(first.is_valid(), !safe, "rate {rate}");
    }
}
