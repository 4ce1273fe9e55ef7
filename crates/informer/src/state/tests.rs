//! The rules of the list/watch state, edge by edge: the next step after each outcome.

use super::*;
use crate::backoff::LONGEST;

const NOW: Duration = Duration::ZERO;

fn state() -> ListWatchState {
    ListWatchState::new(false, Some(500), LONGEST, None, SmallRng::seed_from_u64(7))
}

fn watching(version: &str) -> ListWatchState {
    let mut state = state();
    state.next(Instant::now(), Outcome::Listed { version: version.to_owned() });
    state
}

fn failure(class: Class) -> Failure {
    Failure { class, retry_after: Duration::ZERO }
}

fn list_failed(class: Class, first_page: Option<&str>) -> Outcome {
    Outcome::ListFailed { failure: failure(class), first_page: first_page.map(str::to_owned) }
}

fn watch_failed(class: Class, version: &str) -> Outcome {
    Outcome::WatchEnded {
        version: version.to_owned(),
        failure: Some(failure(class)),
        lasted: Duration::from_secs(60),
        any_event: true,
    }
}

fn watch_ended(version: &str, lasted: Duration, any_event: bool) -> Outcome {
    Outcome::WatchEnded { version: version.to_owned(), failure: None, lasted, any_event }
}

fn describe(next: &Next) -> String {
    let step = match &next.step {
        Step::List(ListRequest { at_least, limit }) => {
            format!(
                "list at_least={} limit={}",
                at_least.as_deref().unwrap_or("-"),
                limit.unwrap_or_default()
            )
        }
        Step::Stream(stream) => format!("stream at_least={}", stream.at_least.as_deref().unwrap_or("-")),
        Step::Watch(watch) => format!("watch from={}", watch.from),
        Step::Probe(version) => format!("probe {version}"),
    };
    let when = if next.wait > NOW { "later" } else { "now" };
    format!("{when}: {step}")
}

/// RE-T8; L1.
#[test]
fn it_begins_with_a_paged_list_of_the_most_recent_state_and_then_watches() {
    let mut state = state();
    assert_eq!(describe(&state.first()), "now: list at_least=- limit=500");
    let next = state.next(Instant::now(), Outcome::Listed { version: "7".to_owned() });
    assert_eq!(describe(&next), "now: watch from=7");
}

/// RE-T16, RE-T17, RE-T19, RE-T20, RE-T22. Unpaged while the version is known: pages of the most recent
/// state, asked for by every client after an upgrade of the servers, overwhelmed etcd (kubernetes#86483).
#[test]
fn a_list_that_the_server_cannot_give_is_followed_by_one_that_it_can() {
    let now = Instant::now();
    let mut state = watching("7");
    let expired = state.next(now, watch_failed(Class::Expired, "9"));
    assert_eq!(describe(&expired), "later: list at_least=9 limit=0");
    for class in [Class::Expired, Class::TooLarge, Class::Refused] {
        let mut state = watching("7");
        state.next(now, watch_failed(Class::Expired, "9"));
        let next = state.next(now, list_failed(class, None));
        assert_eq!(describe(&next), "now: list at_least=- limit=500", "{class:?}");
        // Should that fail the same way, it is not tried at once forever.
        let next = state.next(now, list_failed(class, None));
        assert_eq!(describe(&next), "later: list at_least=- limit=500", "{class:?}");
    }
}

/// RE-T21.
#[test]
fn a_version_that_expires_between_pages_is_followed_by_one_unpaged_list() {
    let now = Instant::now();
    let mut state = state();
    let next = state.next(now, list_failed(Class::Expired, Some("10")));
    assert_eq!(describe(&next), "now: list at_least=10 limit=0");
    let next = state.next(now, list_failed(Class::Expired, Some("10")));
    assert_eq!(describe(&next), "now: list at_least=- limit=500");
    // Round again, but not at once forever.
    let next = state.next(now, list_failed(Class::Expired, Some("11")));
    assert_eq!(describe(&next), "now: list at_least=11 limit=0");
    let next = state.next(now, list_failed(Class::Expired, Some("11")));
    assert_eq!(describe(&next), "later: list at_least=- limit=500");
}

/// RE-T9, RE-T12, RE-T13, RE-T27.
#[test]
fn each_failure_of_a_watch_leads_where_it_must() {
    for (class, expected) in [
        (Class::Expired, "later: list at_least=9 limit=0"),
        (Class::Broken, "later: list at_least=9 limit=0"),
        (Class::NotServed, "later: list at_least=9 limit=0"),
        (Class::TooLarge, "later: list at_least=- limit=500"),
        (Class::Inconsistent, "later: list at_least=- limit=500"),
        (Class::Passing, "later: watch from=9"),
    ] {
        let next = watching("7").next(Instant::now(), watch_failed(class, "9"));
        assert_eq!(describe(&next), expected, "{class:?}");
    }
}

/// L6. client-go waits for as long as the server was asked to keep the watch open.
#[test]
fn a_silent_watch_is_resumed_after_a_probe_and_costs_no_backoff() {
    let mut now = Instant::now();
    let mut state = watching("7");
    for _ in 0..5 {
        now += Duration::from_secs(70);
        let failure = Some(failure(Class::Silent));
        let lasted = Duration::from_secs(70);
        let outcome = Outcome::WatchEnded { version: "9".to_owned(), failure, lasted, any_event: false };
        assert_eq!(describe(&state.next(now, outcome)), "now: probe 9");
        let probed = Outcome::Probed { version: "9".to_owned() };
        assert_eq!(describe(&state.next(now, probed)), "now: watch from=9");
    }
    let next = state.next(now + Duration::from_secs(3), watch_ended("9", Duration::from_millis(1), false));
    assert!(next.wait < Duration::from_millis(1_600));
}

/// L6. A real server accepts a watch from a version that it has yet to reach, and says nothing on it.
#[test]
fn a_probe_that_fails_leads_where_the_server_can_be_followed() {
    for (class, expected) in [
        (Class::TooLarge, "later: list at_least=- limit=500"),
        (Class::Expired, "later: list at_least=- limit=500"),
        (Class::NotServed, "later: list at_least=9 limit=0"),
        (Class::Passing, "later: watch from=9"),
        (Class::Refused, "later: watch from=9"),
    ] {
        let failed = Outcome::ProbeFailed { version: "9".to_owned(), failure: failure(class) };
        assert_eq!(describe(&watching("7").next(Instant::now(), failed)), expected, "{class:?}");
    }
}

/// A proxy that cuts every connection after 20 s, say: the reflector is away for little of that time.
#[test]
fn a_watch_that_breaks_off_after_a_healthy_while_is_resumed_soon_however_often() {
    let mut now = Instant::now();
    let mut state = watching("7");
    for _ in 0..20 {
        now += Duration::from_secs(20);
        let failure = Some(failure(Class::Passing));
        let lasted = Duration::from_secs(20);
        let outcome = Outcome::WatchEnded { version: "9".to_owned(), failure, lasted, any_event: true };
        let next = state.next(now, outcome);
        assert!(next.wait < Duration::from_millis(1_600), "{next:?}");
        now += next.wait;
    }
}

/// L4. client-go too takes a watch that ends within a second without an event for a failure.
#[test]
fn only_a_watch_that_ended_cleanly_after_a_second_is_resumed_at_once() {
    let now = Instant::now();
    let mut state = watching("7");
    for _ in 0..5 {
        let next = state.next(now, watch_ended("8", Duration::from_secs(1), false));
        assert_eq!(describe(&next), "now: watch from=8");
    }
    let short = Duration::from_millis(999);
    for expected in ["later: watch from=8", "later: watch from=8", "later: list at_least=8 limit=0"] {
        assert_eq!(describe(&state.next(now, watch_ended("8", short, false))), expected);
    }
    for _ in 0..5 {
        let next = state.next(now, watch_ended("8", short, true));
        assert_eq!(describe(&next), "later: watch from=8", "one with events is no reason to relist");
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_left_alone() {
    let retry_after = Duration::from_secs(42);
    let failure = Failure { class: Class::Passing, retry_after };
    let next = state().next(Instant::now(), Outcome::ListFailed { failure, first_page: None });
    assert_eq!(next.wait, retry_after);
}

/// RE-T24.
#[test]
fn watch_timeouts_are_drawn_anew_from_five_to_ten_minutes() {
    let mut state = state();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let next = state.next(Instant::now(), Outcome::Listed { version: "1".to_owned() });
        let Step::Watch(watch) = next.step else { panic!("a watch") };
        assert!((300..=600).contains(&watch.timeout.as_secs()));
        seen.insert(watch.timeout);
    }
    assert!(seen.len() > 50);
}

#[test]
fn a_restart_lists_at_least_what_the_store_has() {
    let state =
        ListWatchState::new(false, Some(500), LONGEST, Some("7".to_owned()), SmallRng::seed_from_u64(7));
    assert_eq!(describe(&state.first()), "now: list at_least=7 limit=0");
}

fn streaming() -> ListWatchState {
    ListWatchState::new(true, Some(500), LONGEST, None, SmallRng::seed_from_u64(7))
}

fn stream_failed(class: Class) -> Outcome {
    Outcome::StreamFailed { failure: failure(class) }
}

/// L0; WL-T1, WL-T6, WL-T9, WL-T10.
#[test]
fn a_stream_that_fails_is_followed_by_what_can_succeed() {
    assert_eq!(describe(&streaming().first()), "now: stream at_least=-");
    for (class, expected) in [
        (Class::Refused, "now: list at_least=- limit=500"),
        (Class::Forbidden, "now: list at_least=- limit=500"),
        (Class::Ignored, "now: list at_least=- limit=500"),
        (Class::EndedEarly, "later: list at_least=- limit=500"),
        (Class::Broken, "later: list at_least=- limit=500"),
        (Class::Passing, "later: stream at_least=-"),
        (Class::NotServed, "later: stream at_least=-"),
        (Class::Expired, "later: stream at_least=-"),
    ] {
        let next = streaming().next(Instant::now(), stream_failed(class));
        assert_eq!(describe(&next), expected, "{class:?}");
    }
}

/// As client-go: after 410 and "too large" the next stream asks for the most recent state.
#[test]
fn a_relist_is_a_stream_too_and_gives_up_its_version_where_it_must() {
    let now = Instant::now();
    let mut state = streaming();
    let next = state.next(now, watch_failed(Class::Expired, "9"));
    assert_eq!(describe(&next), "later: stream at_least=9");
    let next = state.next(now, stream_failed(Class::TooLarge));
    assert_eq!(describe(&next), "now: stream at_least=-");
}

#[test]
fn a_server_that_cannot_stream_is_asked_again_after_half_an_hour() {
    let now = Instant::now();
    let mut state = streaming();
    state.next(now, stream_failed(Class::Refused));
    state.next(now, Outcome::Listed { version: "9".to_owned() });
    let soon = now + NO_STREAMS_FOR - Duration::from_secs(1);
    let next = state.next(soon, watch_failed(Class::Expired, "9"));
    assert_eq!(describe(&next), "later: list at_least=9 limit=0");
    let next = state.next(now + NO_STREAMS_FOR, watch_failed(Class::Expired, "9"));
    assert_eq!(describe(&next), "later: stream at_least=9");
}

/// L7.
#[test]
fn requests_for_a_version_that_are_never_answered_are_followed_by_one_for_the_most_recent_state() {
    let now = Instant::now();
    let mut state = streaming();
    state.next(now, watch_failed(Class::Expired, "9"));
    let next = state.next(now, stream_failed(Class::Unanswered));
    assert_eq!(describe(&next), "later: stream at_least=9", "it may have been chance");
    let next = state.next(now, stream_failed(Class::Unanswered));
    assert_eq!(describe(&next), "later: stream at_least=-");

    let mut state = watching("7");
    state.next(now, watch_failed(Class::Expired, "9"));
    let next = state.next(now, list_failed(Class::Unanswered, None));
    assert_eq!(describe(&next), "later: list at_least=9 limit=0");
    let next = state.next(now, list_failed(Class::Unanswered, None));
    assert_eq!(describe(&next), "later: list at_least=- limit=500");
}
