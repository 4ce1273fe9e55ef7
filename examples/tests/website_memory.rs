//! The memory of the website operator stays flat while websites come and go. The only test of its process, whose memory
//! it measures.

use std::{future::pending, time::Duration};

use k8s_openapi::api::events::v1::Event;
use kube_client::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};
use tokio::time::sleep;
use trimtab_apiserver::ApiServer;
use trimtab_manager::Manager;
use trimtab_website::kind::{Website, WebsiteSpec};

/// The number of measurements, and of websites between two of them.
const BLOCKS: usize = 5;
const WEBSITES: usize = 8;
/// The growth that counts as none: half of the pages of a block.
const KIB: u64 = 50 * WEBSITES as u64;

/// Creates a website with a page of 100 KB, and deletes it. Nothing of it is left in the server either.
async fn come_and_go(server: &ApiServer, number: usize) {
    let websites: Api<Website> = Api::default_namespaced(server.client());
    let spec = WebsiteSpec { html: "x".repeat(100_000), replicas: 1, theme: None };
    let name = format!("website-{number}");
    websites.create(&PostParams::default(), &Website::new(&name, spec)).await.expect("created");
    sleep(Duration::from_secs(2)).await;
    let status = websites.get(&name).await.expect("a website").status.expect("a status");
    assert_eq!(status.conditions[0].reason, "Starting");
    websites.delete(&name, &DeleteParams::default()).await.expect("deleted");
    sleep(Duration::from_secs(600)).await; // what is remembered for a while is forgotten: Events, versions
    assert!(websites.get_opt(&name).await.expect("a reply").is_none());
    let events: Api<Event> = Api::default_namespaced(server.client());
    events.delete_collection(&DeleteParams::default(), &ListParams::default()).await.expect("deleted");
    server.faults().compact();
}

/// Returns the resident size of this process in KiB, as Linux reports it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux reports it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[tokio::test(start_paused = true)]
async fn memory_is_flat_while_websites_come_and_go() {
    let server = ApiServer::start();
    server.load_text(include_str!("../website/manifests/crd.yaml")).await.expect("a definition");
    let mut manager = Manager::with_client_that_may_retry("website-operator", server.client())
        .build()
        .expect("sound settings");
    trimtab_website::add_to(&mut manager);
    let running = tokio::spawn(manager.run_until(pending()));
    let mut grown = Vec::new();
    for block in 0..BLOCKS {
        let before = resident();
        for number in 0..WEBSITES {
            come_and_go(&server, block * WEBSITES + number).await;
        }
        grown.push(resident().saturating_sub(before));
    }
    // The allocator keeps what it has freed, so some blocks grow. With a leak, each of them does.
    let least = grown.iter().min().copied().unwrap_or_default();
    assert!(least < KIB, "{grown:?} KiB more after {WEBSITES} websites each");
    assert!(!running.is_finished(), "the operator runs");
}
