//! Lists in pages instead of a stream, and a relist: CPU per object and peak memory.

use tokio::time::{Duration, sleep};
use trimtab_informer::{Informer, Phase};

use crate::{Failure, Form, client, cost::Cost, option, synced, tell};
use trimtab_test_support::{bench::report_lower, process::reset_peak};

pub(crate) async fn run<T: Form>(form: &str) -> Result<(), Failure> {
    let objects = option("objects")?;
    let client = client()?;
    let empty = Cost::now();
    let _held = synced::<T>(Informer::builder(client).streaming_lists(false), objects).await?;
    let held = Cost::now();
    report_lower(&format!("informer/list-cpu/{form}"), "µs", held.cpu_each(&empty, objects));
    report_lower(&format!("informer/list-rss/{form}"), "KB", held.rss_each(&empty, objects));
    report_lower(&format!("informer/list-peak/{form}"), "×", held.peak_over(&held, &empty));
    Ok(())
}

/// A relist: the server no longer has the watch's version, and all objects are unchanged.
pub(crate) async fn again<T: Form>(form: &str) -> Result<(), Failure> {
    let client = client()?;
    let empty = Cost::now();
    let informer = synced::<T>(Informer::builder(client.clone()), option("objects")?).await?;
    let held = Cost::now();
    let lists = informer.status().lists;
    reset_peak();
    tell(&client, "expire").await?;
    loop {
        let status = informer.status();
        if status.lists > lists && status.phase == Phase::Watching {
            break;
        }
        sleep(Duration::from_millis(20)).await; // nothing tells of a relist without changes
    }
    report_lower(&format!("informer/relist-peak/{form}"), "×", Cost::now().peak_over(&held, &empty));
    Ok(())
}
