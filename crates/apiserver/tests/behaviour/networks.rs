//! Faults on connections: black holes, lagging replicas, bodies in odd pieces, and chance under the seed.

use std::{io::Read, time::Duration};

use bytes::Bytes;
use flate2::read::{GzDecoder, MultiGzDecoder};
use http::header;
use http_body_util::{BodyExt, Full};
use kube_client::api::{ListParams, PostParams, WatchParams};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};

use crate::{
    fixtures::{pod, pods, send},
    watches::next,
};

/// The frames of an answer's body, and how it is encoded.
async fn frames(server: &ApiServer, path: &str) -> (Vec<Bytes>, String) {
    let request = http::Request::get(path).header(header::ACCEPT_ENCODING, "gzip");
    let request = request.body(Full::new(Bytes::new())).expect("a request");
    let answer = server.service().oneshot(request).await.expect("an answer");
    let coding = answer.headers().get(header::CONTENT_ENCODING);
    let coding = coding.map(|coding| coding.to_str().expect("text").to_owned()).unwrap_or_default();
    let mut body = answer.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push(frame.expect("unbroken").into_data().expect("data"));
    }
    (frames, coding)
}

#[tokio::test(start_paused = true)]
async fn a_split_body_has_every_byte_in_pieces_that_the_seed_decides() {
    let path = "/api/v1/namespaces";
    let start = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let server = ApiServer::builder().seed(7).start_time(start).start();
        let (whole, _) = frames(&server, path).await;
        let _split = server.faults().split_bodies(Filter::any().verb(Verb::List));
        let (pieces, _) = frames(&server, path).await;
        assert_eq!((whole.len(), pieces.concat()), (1, whole.concat()));
        assert!(pieces.len() > 10 && pieces.iter().all(|piece| (1..=97).contains(&piece.len())));
        // A client that reads pieces reads them as one body.
        let list = send(&server.client(), "GET", path).await.unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 4);
        runs.push(pieces);
    }
    assert_eq!(runs[0], runs[1]);
}

/// A client whose decoder stops after the first member sees a body that ends early, as in tower-http#737.
#[tokio::test(start_paused = true)]
async fn a_body_in_gzip_members_is_read_whole_only_by_who_reads_them_all() {
    let server = ApiServer::start();
    let watch = "/api/v1/namespaces?watch=true&timeoutSeconds=1";
    let (whole, plain) = frames(&server, watch).await;
    let _members = server.faults().gzip_members(Filter::any().resource("namespaces"));
    let (members, coding) = frames(&server, watch).await;
    assert_eq!((plain.as_str(), coding.as_str()), ("", "gzip"));
    let (members, mut all, mut first) = (members.concat(), Vec::new(), Vec::new());
    MultiGzDecoder::new(&*members).read_to_end(&mut all).unwrap();
    GzDecoder::new(&*members).read_to_end(&mut first).unwrap();
    assert_eq!(all, whole.concat());
    assert!(first.len() < all.len() && all.starts_with(&first));
}

#[tokio::test(start_paused = true)]
async fn requests_and_watches_in_a_black_hole_hear_nothing_until_it_is_gone() {
    let server = ApiServer::start();
    let (inside, outside) = (pods(&server.client_as("inside")), pods(&server.client_as("outside")));
    let params = WatchParams::default().timeout(7200).disable_bookmarks();
    let mut stream = Box::pin(inside.watch(&params, "0").await.unwrap());
    let hole = server.faults().black_hole(Filter::any().user_agent("inside"));
    outside.create(&PostParams::default(), &pod("web")).await.unwrap();
    assert_eq!(next(&mut stream).await, "nothing"); // for an hour
    assert!(timeout(Duration::from_secs(60), inside.get("web")).await.is_err());
    let start = Instant::now();
    let (found, ()) = tokio::join!(inside.get("web"), async {
        sleep(Duration::from_secs(5)).await;
        hole.release();
    });
    assert!(found.is_ok());
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(next(&mut stream).await, "added web");
}

/// Two front ends over one store: what a client sees that goes from one to the other travels back in time.
#[tokio::test(start_paused = true)]
async fn a_lagging_replica_shows_its_clients_the_past_and_others_the_present() {
    let server = ApiServer::start();
    let (near, far) = (pods(&server.client_as("near")), pods(&server.client_as("far")));
    let lag = Duration::from_secs(5);
    sleep(lag).await;
    let _replica = server.faults().lag_replica(Filter::any().user_agent("far"), lag);
    let mut stream = Box::pin(far.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    near.create(&PostParams::default(), &pod("web")).await.unwrap();
    let any = ListParams::default().match_any();
    let count = async |pods: &kube_client::Api<_>| pods.list(&any).await.unwrap().items.len();
    assert_eq!((count(&near).await, count(&far).await), (1, 0));
    let start = Instant::now();
    assert_eq!(next(&mut stream).await, "added web");
    assert_eq!(start.elapsed(), lag);
    assert_eq!((count(&near).await, count(&far).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn late_bookmarks_come_so_much_later_also_the_one_that_ends_the_initial_events() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let _late = server.faults().delay_bookmarks(Filter::any().resource("pods"), Duration::from_secs(10));
    let params = WatchParams::default().initial_events().timeout(290);
    let mut stream = Box::pin(pods.watch(&params, "").await.unwrap());
    let start = Instant::now();
    for (expected, seconds) in [("bookmark end", 10), ("bookmark", 70)] {
        assert_eq!(next(&mut stream).await, expected);
        assert_eq!(start.elapsed().as_secs(), seconds, "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn chance_decides_the_same_under_one_seed_and_as_often_as_it_should() {
    let run = async |seed| {
        let server = ApiServer::builder().seed(seed).start();
        let pods = pods(&server.client());
        let filter = Filter::any().verb(Verb::Get).probability(0.5);
        let _fault = server.faults().refuse(filter, Refusal::unavailable(), usize::MAX);
        let mut refused = Vec::new();
        for _ in 0..200 {
            refused.push(pods.get_opt("web").await.is_err());
        }
        refused
    };
    let (one, same, other) = (run(1).await, run(1).await, run(2).await);
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert!((70..130).contains(&one.iter().filter(|refused| **refused).count()));
}

#[tokio::test(start_paused = true)]
async fn chance_chooses_among_open_watches_for_as_long_as_the_fault_is_in_force() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(Box::pin(pods.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap()));
    }
    let half = Filter::any().resource("pods").probability(0.5);
    let stall = server.faults().stall_watches(half.clone());
    let _other = server.faults().lag_watches(Filter::any().resource("nodes"), Duration::ZERO); // told anew
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    let mut told = 0;
    for stream in &mut streams {
        told += usize::from(timeout(Duration::from_secs(1), next(stream)).await.is_ok());
    }
    assert!((8..32).contains(&told), "{told}");
    drop(stall);
    let cut = server.faults().cut_watches(&half);
    assert!((8..32).contains(&cut), "{cut}");
    assert_eq!(server.faults().cut_watches(&Filter::any().probability(0.0)), 0);
}
