//! What a thousand followers in one process cost, each of a Lease of its own that somebody renews every 2 s.

use std::{future::pending, process::Command, time::Duration};

use kube_client::Client;
use tokio::time::sleep;
use trimtab_leaderelection::LeaseWatcher;
use trimtab_test_support::{
    bench::{quick, report_lower},
    process::{cpu, resident_bytes},
};

use crate::{Failure, builder, config, option};

/// The time between the starts of two followers. All at once, each would open a connection, which the client's pool keeps.
const SPREAD: Duration = Duration::from_millis(4);
/// Until all have read their Lease, and connections are open.
const SETTLE: Duration = Duration::from_secs(10);

/// Runs the followers that poll, that watch each, and that share a watch, each in a process of its own.
pub(crate) async fn run() -> Result<(), Failure> {
    if let Ok(form) = option::<String>("followers") {
        return follow(&form).await;
    }
    for form in ["", "/watch", "/shared-watch"] {
        let mut program = Command::new(std::env::current_exe()?);
        program.args(std::env::args().skip(1)).args(["--followers", form]);
        if !program.status()?.success() {
            return Err(format!("the run of thousand{form} has failed").into());
        }
    }
    Ok(())
}

async fn follow(form: &str) -> Result<(), Failure> {
    let followers: usize = option("objects")?;
    let period = Duration::from_secs(if quick() { 15 } else { 30 });
    let client = Client::try_from(config()?)?;
    let empty = resident_bytes();
    let watcher = (form == "/shared-watch").then(|| LeaseWatcher::new(client.clone(), "default"));
    if let Some(watcher) = watcher.clone() {
        tokio::spawn(async move { watcher.run().await });
    }
    for number in 0..followers {
        let lease = format!("held-{number}");
        let mut elector = builder(client.clone(), &lease, "follower", form == "/watch");
        if let Some(watcher) = &watcher {
            elector = elector.lease_watcher(watcher);
        }
        let mut elector = elector.build()?;
        tokio::spawn(async move { elector.run(pending(), |_| pending::<()>()).await });
        sleep(SPREAD).await;
    }
    sleep(SETTLE).await;
    let before = cpu();
    sleep(period).await;
    let each_second = (cpu() - before).as_secs_f64() * 1e3 / period.as_secs_f64();
    report_lower(&format!("leaderelection/thousand-cpu{form}"), "ms/s", each_second);
    let resident = resident_bytes().saturating_sub(empty) as f64 / 1e6;
    report_lower(&format!("leaderelection/thousand-rss{form}"), "MB", resident);
    Ok(())
}
