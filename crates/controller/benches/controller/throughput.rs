//! Reconciles per second that do nothing, over many keys.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use k8s_openapi::api::core::v1::ConfigMap;
use tokio::{sync::Notify, time::Instant};
use trimtab_controller::{
    Action, Controller, ExternalSource, KeySender, cache::Store, informer::InformerFactory,
};
use trimtab_test_support::bench::{quick, report_higher};

use crate::{Failure, WORKERS, client::client, early_end, option};

/// The reconciles so far, and a signal after each round of all keys.
struct Rounds {
    keys: usize,
    reconciles: AtomicUsize,
    over: Notify,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let keys: usize = option("objects")?;
    let rounds = Arc::new(Rounds { keys, reconciles: AtomicUsize::new(0), over: Notify::new() });
    let maps = InformerFactory::new(client()?).informer::<ConfigMap>();
    let (sender, source) = ExternalSource::channel("all keys");
    let counted = rounds.clone();
    let controller =
        Controller::new("bench", &maps).workers(WORKERS).external(source).reconciler(move |_| {
            if (counted.reconciles.fetch_add(1, Relaxed) + 1).is_multiple_of(counted.keys) {
                counted.over.notify_one();
            }
            ready(Ok(Action::done()))
        });
    tokio::select! {
        ended = controller.run(std::future::pending()) => Err(early_end(ended)),
        rate = measure(&rounds, &sender, maps.store()) => {
            report_higher("controller/throughput", "/s", rate);
            Ok(())
        }
    }
}

/// The median of some rounds. Each adds every key once, and ends with the last reconcile.
async fn measure(rounds: &Rounds, sender: &KeySender, store: &Store<ConfigMap>) -> f64 {
    rounds.over.notified().await; // the initial reconciles
    let keys = store.keys();
    let (mut rates, rounds_to_run) = (Vec::new(), if quick() { 3 } else { 11 });
    for _ in 0..rounds_to_run {
        let keys = keys.clone();
        let begun = Instant::now();
        keys.into_iter().for_each(|key| sender.send(key));
        rounds.over.notified().await;
        rates.push(rounds.keys as f64 / begun.elapsed().as_secs_f64());
    }
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}
