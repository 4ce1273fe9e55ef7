//! Candidates start, stop and are cut off, and the server picks the leader among them.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{ApiServer, Filter, Refusal};
use trimtab_leaderelection::Outcome;

use crate::{
    Candidate,
    server_elector::{Hand, elect},
};

/// Lets time pass until only `leader` leads. Checks that there are never two tokens.
async fn until_leads(candidates: &[&Candidate], leader: &Candidate, within: Duration) {
    let end = Instant::now() + within;
    while !leader.has_token() || candidates.iter().filter(|candidate| candidate.is_leader()).count() > 1 {
        assert!(Instant::now() < end, "somebody else leads, or nobody");
        let tokens = candidates.iter().filter(|candidate| candidate.has_token()).count();
        assert!(tokens <= 1, "two valid tokens");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The pings take 5 s, the expiry of the Lease at most 15 s, and a few polls 1 s or 2 s each.
const CHANGE: Duration = Duration::from_secs(5 + 5 + 15 + 10);

#[tokio::test(start_paused = true)]
async fn the_oldest_version_leads_whoever_comes_goes_or_is_cut_off() {
    let server = ApiServer::start();
    let elections = tokio::spawn(elect(Hand::new(server.client())));

    let new = Candidate::start(&server, "new", "1.37.0");
    until_leads(&[&new], &new, CHANGE).await;

    let newest = Candidate::start(&server, "newest", "1.37.0");
    sleep(CHANGE * 2).await;
    assert_eq!((new.terms(), newest.terms()), (1, 0), "the oldest candidate of a version stays");

    let old = Candidate::start(&server, "old", "1.36.0");
    until_leads(&[&new, &newest, &old], &old, CHANGE).await;
    sleep(CHANGE * 2).await;
    assert_eq!((new.terms(), newest.terms(), old.terms()), (1, 0, 1));

    let cut = server.faults().hold(Filter::any().user_agent("old"));
    until_leads(&[&new, &newest, &old], &new, CHANGE).await;
    assert!(!old.is_leader() && newest.terms() == 0);
    cut.release();
    until_leads(&[&new, &newest, &old], &old, CHANGE).await;

    assert_eq!(old.stop().await, Outcome::ShutDown(Some(())));
    until_leads(&[&new, &newest], &new, CHANGE).await;
    assert!(!elections.is_finished());
}

/// Guarantees 1 and 2, with a server that waits for a lease to expire by its own clock. Fails
/// without either of the first two arms of `Election::assignment`.
#[tokio::test(start_paused = true)]
async fn no_two_candidates_have_a_token_however_they_are_cut_off() {
    let mut terms = 0;
    for seed in 0..4 {
        let mut random = SmallRng::seed_from_u64(seed);
        let server = ApiServer::start();
        let elections = tokio::spawn(elect(Hand::new(server.client())));
        let names = ["a", "b", "c"];
        let candidates = names.map(|name| {
            let version = ["1.36.0", "1.37.0"][random.random_range(0..2)];
            let release = random.random();
            Candidate::start_with(&server, name, version, |builder| builder.release_on_cancel(release))
        });
        let (mut faults, end) = (Vec::new(), Instant::now() + Duration::from_secs(900));
        while Instant::now() < end {
            faults.clear();
            for name in names {
                let requests = Filter::any().user_agent(name);
                match random.random_range(0..6) {
                    0 => faults.push(server.faults().hold(requests)),
                    1 => faults.push(server.faults().lose_reply(requests, usize::MAX)),
                    2 => faults.push(server.faults().refuse(requests, Refusal::internal_error(), usize::MAX)),
                    _ => {}
                }
            }
            let change = Instant::now() + Duration::from_millis(random.random_range(500..40_000));
            while Instant::now() < change {
                let tokens = candidates.iter().filter(|candidate| candidate.has_token()).count();
                let working = candidates.iter().filter(|candidate| candidate.is_leader()).count();
                assert!(tokens <= 1 && working <= 1, "seed {seed}: {tokens} tokens, {working} at work");
                sleep(Duration::from_millis(random.random_range(1..400))).await;
            }
        }
        terms += candidates.iter().map(Candidate::terms).sum::<usize>();
        elections.abort();
        candidates.into_iter().for_each(|candidate| candidate.outcome.abort());
    }
    assert!(terms > 25, "it must not be so bad that nobody ever leads: {terms} terms");
}
