//! Two candidates, one Lease, and a hand-over. No cluster: the API server is in this process.
//!
//! `cargo run -p trimtab-leaderelection --example hand_over` prints, within a few seconds:
//!
//! ```text
//! web-0 leads until it is told to stop
//! web-0 has released the Lease
//! web-1 leads after 0 to 3 s
//! ```

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep};
use trimtab_apiserver::ApiServer;
use trimtab_leaderelection::{ConfigError, LeaderElector};

fn candidate(server: &ApiServer, identity: &str) -> Result<LeaderElector, ConfigError> {
    LeaderElector::builder(server.client(), "default", "web")
        .identity(identity)
        .release_on_cancel(true)
        .lease_duration(Duration::from_secs(6))
        .renew_deadline(Duration::from_secs(4))
        .retry_period(Duration::from_secs(1))
        .build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ConfigError> {
    let server = ApiServer::start();
    let (mut first, mut second) = (candidate(&server, "web-0")?, candidate(&server, "web-1")?);
    let leading = first.run(sleep(Duration::from_secs(2)), |leadership| async move {
        println!("web-0 leads until it is told to stop");
        leadership.lost().await;
    });
    let following = async {
        sleep(Duration::from_secs(1)).await;
        let start = Instant::now();
        let released = start + Duration::from_secs(1);
        second.run(pending(), |_| async move { println!("web-1 leads after {:?}", released.elapsed()) }).await
    };
    let leading = async {
        let outcome = leading.await;
        println!("web-0 has released the Lease");
        outcome
    };
    let (first, second) = tokio::join!(leading, following);
    assert!(!first.must_exit() && !second.must_exit());
    Ok(())
}
