//! The cost of a check whether a token is valid, and of a reading of tokio's clock, which is nearly all of it.

use std::{future::pending, hint::black_box, time::Duration};

use tokio::time::Instant;
use trimtab_apiserver::ApiServer;
use trimtab_leaderelection::{Clock, LeaderElector, LeaderElectorBuilder, Leadership, Outcome, TokioClock};
use trimtab_test_support::bench::report_lower;

use crate::Failure;

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 15;

pub(crate) async fn run() -> Result<(), Failure> {
    let server = ApiServer::start();
    let boot_time = |builder: LeaderElectorBuilder| builder; // the default on Linux
    report_lower("leaderelection/valid-boot-time", "ns", measure(&server, boot_time).await?);
    let monotonic = |builder: LeaderElectorBuilder| builder.clock(TokioClock::new());
    report_lower("leaderelection/valid", "ns", measure(&server, monotonic).await?);
    let clock = TokioClock::new();
    report_lower("leaderelection/clock", "ns", nanoseconds(|| _ = black_box(clock.now())));
    Ok(())
}

async fn measure(
    server: &ApiServer,
    set: impl FnOnce(LeaderElectorBuilder) -> LeaderElectorBuilder,
) -> Result<f64, Failure> {
    let builder = LeaderElector::builder(server.client(), "default", "token").identity("a");
    let mut elector = set(builder).release_on_cancel(true).build()?;
    let check = |leadership: &Leadership| assert!(black_box(leadership).is_valid());
    let outcome = elector.run(pending(), |token| async move { nanoseconds(|| check(&token)) }).await;
    let Outcome::Finished(nanoseconds) = outcome else { return Err("it did not lead".into()) };
    Ok(nanoseconds)
}

/// Returns the time of a call, as the median of some rounds.
fn nanoseconds(call: impl Fn()) -> f64 {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            start.elapsed()
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2].as_secs_f64() * 1e9 / f64::from(CALLS)
}
