//! A worker that retries failed keys with backoff, and a drain at the end. No cluster is needed.
//!
//! Run with `cargo run -p trimtab-workqueue --example retry`. Output:
//!
//! ```text
//! default/db: attempt 1 failed, delayed for 1 ms
//! default/web: succeeded on attempt 1
//! default/db: attempt 2 failed, delayed for 2 ms
//! default/db: succeeded on attempt 3
//! dropped by the drain: ["default/later"]
//! ```

use std::time::Duration;

use tokio::time::sleep;
use trimtab_workqueue::{WorkQueue, limiter};

/// Fails twice for the database.
fn reconcile(key: &str, attempt: u32) -> Result<(), &'static str> {
    if key == "default/db" && attempt < 3 { Err("not ready yet") } else { Ok(()) }
}

async fn work(queue: WorkQueue<&'static str>) {
    while let Some(item) = queue.get().await {
        let attempt = queue.num_requeues(&item) + 1;
        match reconcile(&item, attempt) {
            Ok(()) => {
                println!("{}: succeeded on attempt {attempt}", *item);
                queue.forget(&item);
            }
            Err(_) => {
                println!("{}: attempt {attempt} failed, delayed for {attempt} ms", *item);
                queue.add_rate_limited(*item);
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // 1 ms, 2 ms, 4 ms and so on, at most 1000 s.
    let queue = WorkQueue::builder().limiter(limiter::default_item_based()).build();
    queue.add("default/db");
    queue.add("default/web");
    queue.add("default/web"); // coalesced with the first
    queue.add_after("default/later", Duration::from_secs(60));
    let worker = tokio::spawn(work(queue.clone()));

    sleep(Duration::from_millis(100)).await;
    let drained = queue.shut_down_with_drain().within(Duration::from_secs(30)).await;
    println!("dropped by the drain: {:?}", drained.delayed);
    worker.await.expect("the worker ends after the shutdown");
}
