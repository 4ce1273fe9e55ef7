//! Never two leaders: candidates with wrong clocks and faulty connections, under many seeds.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::{Instant, sleep};
use trimtab_leaderelection::{LeaderElector, Leadership};

use crate::lease_server::{LeaseServer, Link, Weather};

/// The tokens and the led work of all candidates of a run.
#[derive(Debug, Default)]
struct Watch {
    tokens: Mutex<Vec<Leadership>>,
    working: AtomicUsize,
    terms: AtomicUsize,
}

impl Watch {
    /// Checks guarantees 1 and 2 at this moment.
    fn check(&self, when: &str) {
        let mut tokens = self.tokens.lock().expect("unpoisoned");
        tokens.retain(Leadership::is_valid);
        assert!(tokens.len() <= 1, "{when}: two valid tokens");
        assert!(self.working.load(Ordering::SeqCst) <= 1, "{when}: two leaders at work");
    }
}

/// Counts led work while it exists.
struct Work<'a>(&'a Watch);

impl<'a> Work<'a> {
    fn start(watch: &'a Watch, token: &Leadership) -> Self {
        watch.tokens.lock().expect("unpoisoned").push(token.clone());
        watch.working.fetch_add(1, Ordering::SeqCst);
        watch.terms.fetch_add(1, Ordering::SeqCst);
        watch.check("at the start of a term");
        Self(watch)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs a candidate whose work stops at once, late, or too late. From time to time the candidate is shut down or killed,
/// and starts again under another name.
fn candidate(
    server: &LeaseServer,
    watch: &Arc<Watch>,
    number: usize,
    skew: i64,
    mut random: SmallRng,
) -> (tokio::task::JoinHandle<()>, Arc<Link>) {
    let (client, link) = server.client(skew);
    let watch = Arc::clone(watch);
    let task = tokio::spawn(async move {
        for life in 0.. {
            let mut elector = LeaderElector::builder(client.clone(), "default", "web")
                .identity(format!("{number}-{life}"))
                // With 14 s, the rest of the Lease is too short to hide a wrong time.
                .renew_deadline(Duration::from_secs(if random.random_bool(0.3) { 10 } else { 14 }))
                .grace_period(Duration::from_secs(random.random_range(0..20)))
                .release_on_cancel(random.random())
                .build()
                .expect("sound settings");
            let (kill, shut_down) = (random.random_range(20..200), random.random_range(20..200));
            let shutdown = sleep(Duration::from_secs(shut_down));
            let run = elector.run_terms(shutdown, |leadership| {
                let (watch, patience) = (Arc::clone(&watch), random.random_range(0..30));
                async move {
                    let _work = Work::start(&watch, &leadership);
                    leadership.lost().await;
                    sleep(Duration::from_millis(500 * patience)).await;
                }
            });
            let _ = tokio::time::timeout(Duration::from_secs(kill), run).await;
        }
    });
    (task, link)
}

fn weather(random: &mut SmallRng) -> Weather {
    let mut delay = |longest: u64| Duration::from_millis(random.random_range(0..longest));
    let (slow, fast) = (delay(8_000), delay(200));
    match random.random_range(0..9) {
        0..=2 => Weather::Cut,
        3 => Weather::Deaf { there: slow },
        4 => Weather::Failing(503),
        5 => Weather::Fair { there: slow, back: fast },
        6 => Weather::Fair { there: fast, back: slow },
        7 => Weather::Garbage { commit: random.random() },
        _ => Weather::Fair { there: fast, back: fast },
    }
}

async fn run(seed: u64) -> usize {
    let mut random = SmallRng::seed_from_u64(seed);
    let (server, watch) = (LeaseServer::default(), Arc::new(Watch::default()));
    let (tasks, links): (Vec<_>, Vec<_>) = [0, 3600, -3600]
        .into_iter()
        .enumerate()
        .map(|(number, skew)| {
            candidate(&server, &watch, number, skew, SmallRng::seed_from_u64(seed * 3 + number as u64))
        })
        .unzip();

    let end = Instant::now() + Duration::from_secs(600);
    while Instant::now() < end {
        for link in &links {
            link.set(if random.random_bool(0.5) { Weather::CLEAR } else { weather(&mut random) });
            if random.random_bool(0.1) {
                link.set_skew(random.random_range(-3600..=3600)); // the wall clock jumps
            }
        }
        let change = Instant::now() + Duration::from_millis(random.random_range(500..25_000));
        while Instant::now() < change {
            watch.check("at some time");
            sleep(Duration::from_millis(random.random_range(1..200))).await;
        }
    }
    for task in tasks {
        task.abort();
    }
    watch.terms.load(Ordering::SeqCst)
}

/// Guarantees 1 and 2. Fails with each of these defects: the time is taken after the reply in `Candidate::write`;
/// `Instant::now()` is read before the request in `Candidate::attempt`; the work is not dropped in `LeaderElector::lead`;
/// `lease_duration` is compared in place of `renew_deadline`.
#[tokio::test(start_paused = true)]
async fn no_two_candidates_have_a_valid_token_or_work_at_the_same_time() {
    let mut terms = 0;
    for seed in 0..15 {
        terms += run(seed).await;
    }
    assert!(terms > 150, "the weather must not be so bad that nobody ever leads: {terms} terms");
}

/// The longest pause between two polls: the retry period of 2 s and as much jitter as upstream's 1.2 times.
const LONGEST_PAUSE: Duration = Duration::from_millis(4400);

/// Liveness: a candidate leads soon after the leader has disappeared.
///
/// A released Lease is seen by the next poll. The last renewal of an abandoned one is seen up to one pause late, and its
/// expiry, by the time since then, up to one more.
#[tokio::test(start_paused = true)]
async fn a_lease_that_was_released_is_taken_within_the_retry_period_and_an_abandoned_one_after_it_expired() {
    let (lease_duration, reply) = (Duration::from_secs(15), Duration::from_millis(100));
    for seed in 0..20 {
        let taken = time_to_successor(seed, true).await;
        assert!(taken <= LONGEST_PAUSE + reply, "seed {seed}: a released Lease was free for {taken:?}");
        let taken = time_to_successor(seed, false).await;
        let bound = lease_duration + LONGEST_PAUSE * 2 + reply;
        assert!(taken > Duration::from_secs(10), "seed {seed}: the Lease was taken after {taken:?}");
        assert!(taken <= bound, "seed {seed}: an abandoned Lease was free for {taken:?}");
    }
}

/// Returns the time from the end of the first candidate's term to the start of the second's.
async fn time_to_successor(seed: u64, release: bool) -> Duration {
    let (server, watch) = (LeaseServer::default(), Arc::new(Watch::default()));
    let elector = |identity: &str, seed| {
        let (client, _) = server.client(0);
        LeaderElector::builder(client, "default", "web")
            .identity(identity)
            .release_on_cancel(release)
            .seed(seed)
            .build()
            .expect("sound settings")
    };
    let lead = |leadership: Leadership| {
        let watch = Arc::clone(&watch);
        async move {
            let _work = Work::start(&watch, &leadership);
            leadership.lost().await;
        }
    };
    let (mut first, mut second) = (elector("a", seed), elector("b", seed + 1000));
    let successor = async {
        sleep(Duration::from_secs(1)).await;
        second.run(std::future::pending(), lead).await
    };
    tokio::pin!(successor);
    // Not a multiple of the retry period: the leader ends between two renewals.
    let leader = first.run(sleep(Duration::from_millis(60_000 + seed * 97)), lead);
    tokio::select! {
        _ = &mut successor => unreachable!("it leads for ever"),
        _ = leader => {}
    }
    let start = Instant::now();
    while watch.terms.load(Ordering::SeqCst) < 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "seed {seed}: nobody leads");
        let _ = tokio::time::timeout(Duration::from_millis(10), &mut successor).await;
    }
    start.elapsed()
}
