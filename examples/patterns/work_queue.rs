//! Five events are one piece of work, an event during the work is not lost, and a failure waits alone.

use std::{error::Error, time::Duration};

use tokio::time::{Instant, sleep};
use trimtab_controller::workqueue::WorkQueue;

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let queue = WorkQueue::new();
    for _ in 0..5 {
        queue.add("web");
    }
    println!("5 events of web: {} key is ready", queue.len());

    let item = queue.get().await.ok_or("the queue is shut down")?;
    queue.add("web");
    println!("an event while {} is processed: {} keys are ready", *item, queue.len());
    drop(item); // done
    println!("done: {} key is ready", queue.len());

    queue.add("db");
    let worker = tokio::spawn(work(queue.clone(), Instant::now()));
    sleep(Duration::from_secs(1)).await;
    let drained = queue.shut_down_with_drain().await;
    worker.await?;
    println!("left: {} keys", drained.processing.len() + drained.delayed.len());
    Ok(())
}

async fn work(queue: WorkQueue<&'static str>, start: Instant) {
    while let Some(item) = queue.get().await {
        let (at, failures) = (start.elapsed().as_millis(), queue.num_requeues(&item));
        if *item == "db" && failures < 4 {
            println!("{at:>3} ms  {} fails, failure {}", *item, failures + 1);
            queue.add_rate_limited(*item);
        } else {
            println!("{at:>3} ms  {} succeeds", *item);
            queue.forget(&item);
        }
    }
}
