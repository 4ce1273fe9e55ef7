//! What a thousand followers in one process cost, each of a Lease of its own that somebody renews every 2 s.

use std::{future::pending, time::Duration};

use kube_client::Client;
use tokio::time::sleep;
use trimtab_test_support::{
    bench::{quick, report_lower},
    process::{cpu, resident_bytes},
};

use crate::{Failure, builder, config, option};

/// The time between the starts of two followers. All at once, each would open a connection, which the client's pool keeps.
const SPREAD: Duration = Duration::from_millis(4);
/// Until all have read their Lease, and connections are open.
const SETTLE: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> Result<(), Failure> {
    let followers: usize = option("objects")?;
    let watches = std::env::args().any(|argument| argument == "--watch");
    let suffix = if watches { "/watch" } else { "" };
    if !watches {
        // In a process of its own, before this one has used any memory.
        let mut program = std::process::Command::new(std::env::current_exe()?);
        if !program.args(std::env::args().skip(1)).arg("--watch").status()?.success() {
            return Err("the run with watches has failed".into());
        }
    }
    let period = Duration::from_secs(if quick() { 15 } else { 30 });
    let client = Client::try_from(config()?)?;
    let empty = resident_bytes();
    for number in 0..followers {
        let lease = format!("held-{number}");
        let mut elector = builder(client.clone(), &lease, "follower", watches).build()?;
        tokio::spawn(async move { elector.run(pending(), |_| pending::<()>()).await });
        sleep(SPREAD).await;
    }
    sleep(SETTLE).await;
    let before = cpu();
    sleep(period).await;
    let each_second = (cpu() - before).as_secs_f64() * 1e3 / period.as_secs_f64();
    report_lower(&format!("leaderelection/thousand-cpu{suffix}"), "ms/s", each_second);
    let resident = resident_bytes().saturating_sub(empty) as f64 / 1e6;
    report_lower(&format!("leaderelection/thousand-rss{suffix}"), "MB", resident);
    Ok(())
}
