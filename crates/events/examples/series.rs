//! Shows that a repeated event is one object with a count. Runs without a cluster.
//!
//! ```sh
//! cargo run -p trimtab-events --example series
//! ```
//!
//! Output:
//!
//! ```text
//! Created: created Pod web-0, 5 times
//! ```

use k8s_openapi::api::{core::v1::ObjectReference, events::v1::Event};
use kube_client::Api;
use trimtab_apiserver::ApiServer;
use trimtab_events::{EventRecorder, NewEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ApiServer::start();
    let (recorder, publisher) = EventRecorder::builder("replicaset").client(server.client()).build();
    let set = ObjectReference {
        kind: Some("ReplicaSet".into()),
        namespace: Some("default".into()),
        name: Some("web".into()),
        ..ObjectReference::default()
    };
    for _ in 0..5 {
        recorder.record(&set, NewEvent::normal("Created", "CreatePod", "created Pod web-0"));
    }
    publisher.run(async {}).await; // sends what is queued, and ends

    let api: Api<Event> = Api::namespaced(server.client(), "default");
    for event in api.list(&Default::default()).await? {
        let (reason, note) = (event.reason.unwrap_or_default(), event.note.unwrap_or_default());
        println!("{reason}: {note}, {} times", event.series.map_or(1, |series| series.count));
    }
    Ok(())
}
