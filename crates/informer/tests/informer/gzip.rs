//! Compressed responses. Lists are requested with gzip, watches are not; both may have any number of gzip members,
//! as servers since 1.37 send them (tower-http#737: decoders that end silently after the first member).

use std::io::Write;
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use http::header;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use trimtab_test_support::{server::ScriptedServer, settle};

use crate::fixtures::{lists, object};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

const GZIP: [(&str, &str); 1] = [("content-encoding", "gzip")];

#[tokio::test(start_paused = true)]
async fn a_compressed_list_may_have_any_number_of_members_and_parts() {
    let objects = [object("a", "1"), object("b", "2")];
    let text = json!({"metadata": {"resourceVersion": "5"}, "items": objects}).to_string();
    let (front, back) = text.split_at(text.len() / 2);
    for body in [gzip(&text), [gzip(front), gzip(back)].concat()] {
        for part in [1, 7, body.len()] {
            let (mut server, client) = ScriptedServer::new();
            let informer = lists(client).build::<ConfigMap>();
            informer.start();
            let call = server.next().await;
            assert_eq!(call.headers[header::ACCEPT_ENCODING], "gzip");
            let answer = call.open(200, &GZIP);
            body.chunks(part).for_each(|part| answer.text(part.to_vec()));
            drop(answer);
            assert!(informer.wait_for_sync().await);
            assert_eq!(informer.store().len(), 2);
            assert_eq!(informer.status().bytes, body.len() as u64);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_packed_list_that_breaks_off_is_no_list() {
    let text = json!({"metadata": {"resourceVersion": "5"}, "items": []}).to_string();
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    let body = gzip(&text);
    server.next().await.raw(200, &GZIP, body[..body.len() - 4].to_vec());
    settle(Duration::from_millis(1)).await;
    assert!(!informer.has_synced());
    assert_eq!(informer.status().last_error.expect("an error").to_string(), "decompressing the response");
    server.next().await.raw(200, &GZIP, "no gzip");
    server.next().await.raw(200, &GZIP, body);
    assert!(informer.wait_for_sync().await);
}

/// Incident 29: tower-http#737, async-compression#489.
#[tokio::test(start_paused = true)]
async fn a_watch_that_comes_packed_event_by_event_is_followed_to_its_end() {
    let (mut server, client) = ScriptedServer::new();
    let informer = lists(client).build::<ConfigMap>();
    informer.start();
    server.next().await.list("5", &[]);
    let call = server.next().await;
    assert_eq!(call.headers[header::ACCEPT_ENCODING], "identity");
    let watch = call.open(200, &GZIP); // against what was asked
    for version in 6..10 {
        let object = object(&format!("o{version}"), &version.to_string());
        let line = json!({"type": "ADDED", "object": object}).to_string() + "\n";
        watch.text(gzip(&line));
        settle(Duration::from_millis(1)).await;
        assert_eq!(informer.store().resource_version(), Some(version.to_string()));
    }
    assert_eq!(informer.status().restarts, 0);
}
