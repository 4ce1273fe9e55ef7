//! Reading the store of an informer that was never started logs a warning.

use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::Duration;
use trimtab_cache::ObjectKey;
use trimtab_informer::Informer;
use trimtab_test_support::{log::Log, server::ScriptedServer, settle};

use crate::fixtures::{lists, object};

/// Returns the warnings that `run` causes.
fn warnings_of(run: impl FnOnce()) -> Vec<String> {
    let (log, _guard) = Log::warnings();
    run();
    log.take()
}

fn key() -> ObjectKey {
    ObjectKey::namespaced("default", "a")
}

#[tokio::test(start_paused = true)]
async fn a_store_whose_informer_was_never_started_warns_once_when_it_is_read() {
    type Read = fn(&Informer<ConfigMap>);
    let reads: [(&str, Read); 5] = [
        ("get", |informer| drop(informer.store().get(&key()))),
        ("contains", |informer| assert!(!informer.store().contains(&key()))),
        ("list", |informer| drop(informer.store().list())),
        ("snapshot", |informer| drop(informer.store().snapshot())),
        ("index", |informer| {
            let by_name = informer.add_index("name", |map: &ConfigMap| map.metadata.name.clone());
            drop(by_name.get("a"));
        }),
    ];
    for (name, read) in reads {
        let (_server, client) = ScriptedServer::new();
        let informer = lists(client).build::<ConfigMap>();
        let warnings = warnings_of(|| {
            read(&informer);
            read(&informer);
        });
        let [warning] = &warnings[..] else { panic!("{name}: {warnings:?}") };
        assert!(
            warning.contains("informer=\"configmaps\"") && warning.contains("never started"),
            "{warning}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn setting_an_informer_up_and_reading_a_started_one_warns_of_nothing() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    let warnings = warnings_of(|| {
        informer.add_index("name", |map: &ConfigMap| map.metadata.name.clone());
        informer.on_change(|_| {});
        let _subscription = informer.subscribe();
        assert!(informer.store().is_empty());
        let _status = informer.status();
        informer.start();
        assert!(informer.store().get(&key()).is_none(), "not listed yet");
    });
    assert!(warnings.is_empty(), "{warnings:?}");
    server.next().await.list("5", &[object("a", "1")]);
    settle(Duration::from_millis(1)).await;
    informer.stop().await;
    let warnings = warnings_of(|| assert!(informer.store().get(&key()).is_some()));
    assert!(warnings.is_empty(), "{warnings:?}");
}
