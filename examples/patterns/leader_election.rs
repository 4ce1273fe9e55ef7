//! A leader that is cut off from the server stops before its successor starts.

use std::{error::Error, future::pending, time::Duration};

use tokio::time::{Instant, sleep};
use trimtab_apiserver::{ApiServer, Filter};
use trimtab_leaderelection::{ConfigError, LeaderElector, Leadership};

/// A candidate with the defaults: a Lease of 15 s, a renew deadline of 10 s, a renewal every 2 s.
fn candidate(server: &ApiServer, identity: &str) -> Result<LeaderElector, ConfigError> {
    LeaderElector::builder(server.client_as(identity), "default", "web")
        .identity(identity)
        .release_on_cancel(true)
        .watch(true) // a follower learns of changes at once
        .build()
}

async fn lead(identity: &str, start: Instant, leadership: Leadership) {
    println!("{:>5.1} s  {identity} leads", start.elapsed().as_secs_f64());
    leadership.lost().await; // here the controllers run
    println!("{:>5.1} s  {identity} stops", start.elapsed().as_secs_f64());
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let server = ApiServer::start();
    let (mut first, mut second) = (candidate(&server, "web-0")?, candidate(&server, "web-1")?);
    let story = async {
        sleep(Duration::from_secs(1)).await;
        let follower =
            second.run_terms(sleep(Duration::from_secs(89)), |leadership| lead("web-1", start, leadership));
        let cut_off = async {
            sleep(Duration::from_secs(59)).await;
            println!("{:>5.1} s  web-0 is cut off from the server", start.elapsed().as_secs_f64());
            server.faults().black_hole(Filter::any().user_agent("web-0")).leave();
        };
        let _ = tokio::join!(follower, cut_off);
    };
    tokio::select! {
        () = story => {}
        _ = first.run_terms(pending(), |leadership| lead("web-0", start, leadership)) => {}
    }
    println!("{:>5.1} s  web-1 has released the Lease", start.elapsed().as_secs_f64());
    Ok(())
}
