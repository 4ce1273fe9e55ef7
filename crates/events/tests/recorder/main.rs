//! The recorder and its publisher against a scripted server and against the in-process API server. Ids are those of
//! client-go's `event_test.go` (EV7-T1 to EV7-T9).

mod support;

use std::time::Duration;

use k8s_openapi::api::{
    core::v1::{Event as CoreEvent, ObjectReference},
    events::v1::Event,
};
use kube_client::Api;
use tokio::{sync::oneshot, time::sleep};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_events::{EventRecorder, Form, NewEvent, Unsent};
use trimtab_test_support::log::Log;

use crate::support::{Answer, FORMS, Running, Script, created, pod, website};

/// EV7-T4 in `events.k8s.io/v1`.
#[tokio::test(start_paused = true)]
async fn repeated_events_become_one_series() {
    let server = ApiServer::builder().request_log(true).start();
    let running =
        Running::start(EventRecorder::builder("website").client(server.client()).instance("website-0"));
    for _ in 0..5 {
        running.recorder.record(&pod(), created("created it"));
        sleep(Duration::from_secs(1)).await;
    }
    running.recorder.record(&pod(), NewEvent::warning("Failed", "CreatePod", "no quota"));
    sleep(Duration::from_secs(1)).await;

    let api: Api<Event> = Api::namespaced(server.client(), "default");
    let events = api.list(&Default::default()).await.expect("a list").items;
    assert_eq!(events.len(), 2);
    let series = |reason: &str| {
        let event = events.iter().find(|event| event.reason.as_deref() == Some(reason)).expect("the event");
        (event.series.as_ref().map(|series| series.count), event.reporting_instance.clone())
    };
    assert_eq!(
        series("Created"),
        (Some(2), Some("website-0".into())),
        "later ones count, and are sent later"
    );
    assert_eq!(series("Failed").0, None);

    assert_eq!(running.stop().await, Unsent(0));
    let events = api.list(&Default::default()).await.expect("a list").items;
    let counts: Vec<i32> = events.iter().flat_map(|event| &event.series).map(|series| series.count).collect();
    assert_eq!(counts, [5], "the last count is sent at shutdown");
}

#[tokio::test(start_paused = true)]
async fn the_count_of_a_series_is_sent_when_it_ends_and_every_half_hour() {
    let server = ApiServer::builder().start();
    let running = Running::start(EventRecorder::builder("website").client(server.client()));
    let api: Api<Event> = Api::namespaced(server.client(), "default");
    let counts = async || {
        let events = api.list(&Default::default()).await.expect("a list").items;
        events.iter().flat_map(|event| &event.series).map(|series| series.count).collect::<Vec<_>>()
    };
    for _ in 0..31 {
        running.recorder.record(&pod(), created("again"));
        sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(counts().await, [31], "sent after half an hour");
    running.recorder.record(&pod(), created("again"));
    sleep(Duration::from_secs(359)).await;
    assert_eq!(counts().await, [31]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(counts().await, [32], "the series has ended");
    running.recorder.record(&pod(), created("again"));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        api.list(&Default::default()).await.expect("a list").items.len(),
        2,
        "a new series is a new object"
    );
}

/// EV7-T4 in core/v1, and EV7-T6.
#[tokio::test(start_paused = true)]
async fn core_events_are_counted_and_made_again_once_they_expired() {
    let server = ApiServer::builder().start();
    let builder = EventRecorder::builder("website").client(server.client()).form(Form::Core).host("node-1");
    let running = Running::start(builder);
    let api: Api<CoreEvent> = Api::namespaced(server.client(), "default");
    let orphan = ObjectReference { namespace: None, ..pod() };
    for object in [pod(), pod(), orphan] {
        running.recorder.record(&object, created("created it"));
        sleep(Duration::from_secs(1)).await;
    }
    let mut counts: Vec<_> =
        api.list(&Default::default()).await.expect("a list").items.iter().map(|event| event.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [Some(1), Some(2)], "an object without a namespace has its event in `default`");

    for event in api.list(&Default::default()).await.expect("a list").items {
        api.delete(event.metadata.name.as_deref().expect("a name"), &Default::default())
            .await
            .expect("deleted");
    }
    running.recorder.record(&pod(), created("created it"));
    sleep(Duration::from_secs(1)).await;
    let events = api.list(&Default::default()).await.expect("a list").items;
    assert_eq!(events.iter().map(|event| event.count).collect::<Vec<_>>(), [Some(3)], "the count goes on");
    assert_eq!(running.stop().await, Unsent(0));
}

/// EV7-T4: seven events on two objects are created, or counted by a patch, and each is in the log.
#[tokio::test(start_paused = true)]
async fn seven_events_on_two_objects_are_created_or_counted_and_logged() {
    let (log, _guard) = Log::capture(
        |metadata| metadata.target().starts_with("trimtab_events"),
        |line, field, value| line.push_str(&format!("{field}={value:?} ")),
    );
    let script = Script::default();
    let running = Running::start(website(Form::Core).client(script.client()));
    let other = ObjectReference { name: Some("shop".into()), uid: Some("2".into()), ..pod() };
    for (object, reason, method, count) in [
        (pod(), "Started", "POST", 1),
        (pod(), "Killed", "POST", 1),
        (pod(), "Started", "PATCH", 2),
        (other.clone(), "Started", "POST", 1),
        (pod(), "Started", "PATCH", 3),
        (other.clone(), "Killed", "POST", 1),
        (other.clone(), "Started", "PATCH", 2),
    ] {
        running.recorder.record(&object, NewEvent::normal(reason, "Sync", "a message"));
        sleep(Duration::from_secs(1)).await;
        let (sent, body) = script
            .requests
            .lock()
            .expect("no test panicked while holding it")
            .last()
            .cloned()
            .expect("a request");
        assert_eq!((&*sent, body["count"].as_i64()), (method, Some(count)), "{object:?} {reason}");
        let name = object.name.expect("a name");
        let line = format!("name=\"{name}\" type=Normal reason=\"{reason}\" note=\"a message\"");
        assert!(matches!(&*log.take(), [logged] if logged.contains(&line)), "{line}");
    }
    assert_eq!(script.requests(), 7);
    assert_eq!(running.stop().await, Unsent(0));
}

/// Each form has the object, the other object, the action and the reporter in its own fields.
#[tokio::test(start_paused = true)]
async fn an_event_names_its_objects_its_action_and_its_reporter() {
    let set = ObjectReference { kind: Some("ReplicaSet".into()), name: Some("web".into()), ..pod() };
    let recorded = async |form| {
        let server = ApiServer::start();
        let running =
            Running::start(website(form).client(server.client()).instance("website-0").host("node-1"));
        let event = created("created it").related(pod()).annotation("example.com/a", "1");
        running.recorder.record(&set, event);
        assert_eq!(running.stop().await, Unsent(0));
        server
    };
    let servers = [recorded(Form::Events).await, recorded(Form::Core).await];
    let api: Api<Event> = Api::namespaced(servers[0].client(), "default");
    let event = api.list(&Default::default()).await.expect("a list").items.remove(0);
    assert_eq!((&event.regarding, &event.related), (&Some(set.clone()), &Some(pod())));
    assert_eq!((event.action.as_deref(), event.reason.as_deref()), (Some("CreatePod"), Some("Created")));
    assert_eq!((event.type_.as_deref(), event.note.as_deref()), (Some("Normal"), Some("created it")));
    assert_eq!(event.reporting_controller.as_deref(), Some("website"));
    assert_eq!(event.reporting_instance.as_deref(), Some("website-0"));
    let annotations = event.metadata.annotations.as_ref().expect("annotations");
    assert_eq!(annotations.get("example.com/a").map(String::as_str), Some("1"));

    let api: Api<CoreEvent> = Api::namespaced(servers[1].client(), "default");
    let event = api.list(&Default::default()).await.expect("a list").items.remove(0);
    assert_eq!((&event.involved_object, &event.related), (&set, &Some(pod())));
    let source = event.source.as_ref().expect("a source");
    assert_eq!((source.component.as_deref(), source.host.as_deref()), (Some("website"), Some("node-1")));
    assert_eq!(event.message.as_deref(), Some("created it"));
}

/// Both forms, as two controllers of one process about one object.
#[tokio::test(start_paused = true)]
async fn two_controllers_of_a_process_share_a_queue_and_are_counted_apart() {
    for form in FORMS {
        let server = ApiServer::builder().start();
        let running = Running::start(EventRecorder::builder("manager").client(server.client()).form(form));
        for controller in ["deployment-controller", "replicaset-controller"] {
            running.recorder.for_controller(controller).record(&pod(), created("created it"));
        }
        running.recorder.record(&pod(), created("created it"));
        assert_eq!(running.stop().await, Unsent(0));
        let api: Api<CoreEvent> = Api::namespaced(server.client(), "default");
        let events = api.list(&Default::default()).await.expect("a list").items;
        let mut controllers: Vec<_> =
            events.iter().map(|event| event.reporting_component.as_deref()).collect();
        controllers.sort_unstable();
        let expected = ["deployment-controller", "manager", "replicaset-controller"].map(Some);
        assert_eq!(controllers, expected, "{form:?}");
        assert!(events.iter().all(|event| event.reporting_instance.as_deref() == Some("manager")));
    }
}

/// EV7-T5, except that requests to an overloaded server are retried.
#[tokio::test(start_paused = true)]
async fn refusals_are_given_up_and_absence_is_retried_twelve_times() {
    use Answer::{Broken, Garbage, Status};
    let answers = [
        (Status(403, "Forbidden"), 100, 1),
        (Status(422, "Invalid"), 100, 1),
        (Status(409, "AlreadyExists"), 100, 1),
        (Garbage, 100, 12),
        (Broken, 100, 12),
        (Status(429, "TooManyRequests"), 100, 12),
        (Status(503, "ServiceUnavailable"), 100, 12),
        (Broken, 1, 2),
    ];
    for ((answer, times, expected), form) in
        answers.into_iter().flat_map(|answer| FORMS.map(|form| (answer, form)))
    {
        let script = Script::of(std::iter::repeat_n(answer, times));
        let running = Running::start(website(form).client(script.client()));
        running.recorder.record(&pod(), created("once"));
        sleep(Duration::from_secs(600)).await;
        assert_eq!(script.requests(), expected);
        assert_eq!(running.stop().await, Unsent(0));
    }
}

/// EV7-T8.
#[tokio::test(start_paused = true)]
async fn a_thousand_events_that_fail_four_times_each_all_arrive() {
    for form in FORMS {
        let script = Script { breaks: 4, ..Script::default() };
        let running = Running::start(website(form).client(script.client()));
        for number in 0..1000 {
            let object = ObjectReference { name: Some(format!("web-{number}")), ..pod() };
            running.recorder.record(&object, created("once"));
        }
        sleep(Duration::from_secs(50_000)).await;
        assert_eq!(script.requests(), 5 * 1000, "four broken requests for each, and one that arrived");
        assert_eq!(running.stop().await, Unsent(0));
    }
}

/// EV7-T1, EV7-T2, EV7-T7: at a stop each event is tried once, and the publisher ends.
#[tokio::test(start_paused = true)]
async fn a_stop_sends_what_is_queued_once() {
    for form in FORMS {
        let script = Script::of([Answer::Broken, Answer::Broken]);
        let running = Running::start(website(form).client(script.client()));
        for number in 0..3 {
            let object = ObjectReference { name: Some(format!("web-{number}")), ..pod() };
            running.recorder.record(&object, created("once"));
        }
        let recorder = running.recorder.clone();
        assert_eq!(running.stop().await, Unsent(0));
        assert_eq!(script.requests(), 3, "two failed and were given up, one arrived");
        recorder.record(&pod(), created("late")); // dropped: no panic, no wait
        assert_eq!(script.requests(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_no_longer_than_the_flush_timeout() {
    let server = ApiServer::builder().start();
    let _hang = server.faults().hold(Filter::any().verb(Verb::Create));
    let builder =
        EventRecorder::builder("website").client(server.client()).flush_timeout(Duration::from_secs(3));
    let running = Running::start(builder);
    for number in 0..4 {
        let object = ObjectReference { name: Some(format!("web-{number}")), ..pod() };
        running.recorder.record(&object, created("once"));
    }
    let begin = tokio::time::Instant::now();
    assert_eq!(running.stop().await, Unsent(4));
    assert_eq!(begin.elapsed(), Duration::from_secs(3));
}

/// EV7-T3.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_recorders_and_a_stop_lose_nothing_that_was_queued_before() {
    for form in FORMS {
        let script = Script::default();
        let (recorder, publisher) = website(form).client(script.client()).build();
        let (stop, stopped) = oneshot::channel::<()>();
        let publisher = tokio::spawn(publisher.run(async { _ = stopped.await }));
        let tasks = (0..100).map(|number| {
            let recorder = recorder.clone();
            tokio::spawn(async move {
                let object = ObjectReference { name: Some(format!("web-{number}")), ..pod() };
                recorder.record(&object, created("once"));
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        stop.send(()).expect("it runs");
        assert_eq!(publisher.await.expect("no panic"), Unsent(0));
        assert_eq!(script.requests(), 100);
    }
}

/// EV7-T9.
#[tokio::test(start_paused = true)]
async fn two_servers_have_counts_and_retries_of_their_own() {
    for form in FORMS {
        let (one, other) = (Script::default(), Script::of([Answer::Status(403, "Forbidden")]));
        let running = Running::start(website(form).client(one.client()).client(other.client()));
        running.recorder.record(&pod(), created("once"));
        running.recorder.record(&pod(), created("once"));
        assert_eq!(running.stop().await, Unsent(0));
        for script in [&one, &other] {
            let requests = script.requests.lock().expect("no test panicked while holding it");
            let methods: Vec<_> = requests.iter().map(|(method, _)| method.clone()).collect();
            assert_eq!(methods, ["POST", "PATCH"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_events_and_holds_nobody_up() {
    let server = ApiServer::builder().start();
    let hang = server.faults().hold(Filter::any().verb(Verb::Create));
    let running = Running::start(EventRecorder::builder("website").client(server.client()).queue(10));
    for number in 0..500 {
        let object = ObjectReference { name: Some(format!("web-{number}")), ..pod() };
        running.recorder.record(&object, created("once"));
    }
    hang.release();
    assert_eq!(running.stop().await, Unsent(0));
    let api: Api<Event> = Api::namespaced(server.client(), "default");
    assert_eq!(api.list(&Default::default()).await.expect("a list").items.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_event_in_a_namespace_that_is_refused_is_given_up() {
    let server = ApiServer::builder().request_log(true).start();
    let _refused = server.faults().refuse(Filter::any().verb(Verb::Create), Refusal::forbidden(), usize::MAX);
    let running = Running::start(EventRecorder::builder("website").client(server.client_as("website")));
    running.recorder.record(&pod(), created("once"));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(server.request_log().matching(&Filter::any().user_agent("website")).len(), 1);
}

#[test]
fn a_fake_recorder_hands_events_out_as_text() {
    let (recorder, mut events) = EventRecorder::fake(2);
    for number in 0..3 {
        recorder.record(&pod(), created(&format!("n{number}")));
    }
    assert_eq!(
        events.take_all(),
        ["Normal Created n0", "Normal Created n1"],
        "a full channel drops the rest"
    );
    assert_eq!(events.take(), None);
    EventRecorder::discarding().record(&pod(), created("nothing happens"));
}
