//! A million objects: seconds to sync, memory, and CPU per object as a multiple of that with few objects.

use tokio::time::Instant;
use trimtab_informer::Informer;

use crate::{Failure, Form, client, client_of, cost::Cost, option, synced};
use trimtab_test_support::bench::report_lower;

pub(crate) async fn run<T: Form>() -> Result<(), Failure> {
    let (few, objects) = (option("few")?, option("objects")?);
    let begun = Cost::now();
    let informer = synced::<T>(Informer::builder(client_of(&option::<String>("few-url")?)?), few).await?;
    let cpu_of_few = Cost::now().cpu_each(&begun, few);
    drop(informer);

    let (begun, before) = (Instant::now(), Cost::now());
    let _held = synced::<T>(Informer::builder(client()?), objects).await?;
    let (took, held) = (begun.elapsed(), Cost::now());
    report_lower("informer/million-s", "s", took.as_secs_f64());
    report_lower("informer/million-gib", "GiB", held.peak_bytes / f64::from(1 << 30));
    report_lower("informer/million-cpu", "µs", held.cpu_each(&before, objects));
    report_lower("informer/million-flat", "×", held.cpu_each(&before, objects) / cpu_of_few);
    Ok(())
}
