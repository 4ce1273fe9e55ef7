//! A reply gets lost: the controller neither repeats the create blindly nor stands still.
//!
//! Run it with `cargo run -p trimtab-expectations --example lost_reply`. It prints:
//!
//! ```text
//! sync 1: created 1 of 1 Pods, the reply was lost
//! sync 2: the outcome of a write to "pods" is unknown; the server is at version 8
//! sync 2: the cache of "pods" is behind version 8
//! event:  the cache is at version 8, wake default/web
//! sync 3: the cache shows 1 Pods of 1, nothing to do
//! ```

use std::{cell::Cell, sync::mpsc};

use trimtab_expectations::Ledger;

fn main() {
    let (queue, keys) = mpsc::channel();
    let ledger: Ledger<&str, &str, u64> = Ledger::new();
    let _waker = ledger.on_wake(move |key| {
        // A send fails only if the program is over.
        let _ = queue.send(*key);
    });
    let (web, uid, pods) = ("default/web", "uid-of-web", "pods");
    // The cache of Pods: its version, and the number of Pods in it.
    let cache = Cell::new((7, 0));

    // Sync 1: the cache shows no Pod. The create is carried out, at version 8, and its reply is lost.
    let write = ledger.expect_creation(&web, uid, pods);
    write.unknown();
    println!("sync 1: created 1 of 1 Pods, the reply was lost");

    // Sync 2: one read of the server returns the version from which the cache can be trusted.
    if let Err(wait) = ledger.ready(&web, |_| Some(cache.get().0)) {
        println!("sync 2: {wait}; the server is at version 8");
        ledger.resolve(&web, &pods, 8);
    }
    if let Err(wait) = ledger.ready(&web, |_| Some(cache.get().0)) {
        println!("sync 2: {wait}");
    }

    // The event of the Pod arrives: first the cache, then the ledger.
    cache.set((8, 1));
    ledger.reached(&pods, 8);
    for key in keys.try_iter() {
        println!("event:  the cache is at version 8, wake {key}");
    }

    // Sync 3: the cache shows the Pod, so there is nothing to create.
    assert!(ledger.ready(&web, |_| Some(cache.get().0)).is_ok());
    println!("sync 3: the cache shows {} Pods of 1, nothing to do", cache.get().1);
}
