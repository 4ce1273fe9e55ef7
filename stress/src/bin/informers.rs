//! Tests informers against an API server, the embedded one or a real one: the store equals the server for every form
//! and every selection, and handlers are notified of every change.
//!
//! ```text
//! cargo xtask conformance --informer                               # the embedded server
//! cargo xtask conformance --informer --kubeconfig ~/.kube/config   # a real one; namespaces informer-a and informer-b
//! ```
//!
//! It prints a line for each case and exits with 0 only if all of them pass. It writes to these two namespaces and
//! to one CustomResourceDefinition, `widgets.informers.trimtab.dev`, and to nothing else.

use std::{fmt::Display, num::NonZeroU32, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use k8s_openapi::{
    api::core::v1::{ConfigMap, Namespace},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube_client::{
    Api, Client, Config,
    api::{
        ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, ObjectMeta,
        PartialObjectMeta, Patch, PatchParams, PostParams,
    },
    config::{KubeConfigOptions, Kubeconfig},
};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};
use trimtab_apiserver::ApiServer;
use trimtab_controller::{
    cache::{Change, MetaView, Metadata, Object, Packed},
    informer::{Informer, InformerBuilder, Phase, Selection, Shard},
};

#[derive(Parser)]
struct Options {
    /// The kubeconfig of a cluster; by default the embedded server.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// The reason for which a case fails.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<(), Failure>;

const NAMESPACES: [&str; 2] = ["informer-a", "informer-b"];
/// The time within which an expected state must be reached.
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let options = Options::parse();
    let embedded = options.kubeconfig.is_none().then(ApiServer::start);
    let client = match (&options.kubeconfig, &embedded) {
        (Some(file), _) => {
            let config = Kubeconfig::read_from(file)?;
            let mut config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
            config.default_retry = false; // a create that is repeated makes two objects
            Client::try_from(config)?
        }
        (None, Some(server)) => server.client(),
        (None, None) => unreachable!("without a kubeconfig there is a server"),
    };
    let suite = Suite { client };
    let mut failed = 0;
    for (name, outcome) in [
        ("a list, streamed or in pages, fills the store", suite.lists().await),
        ("handlers are notified of every change in order", suite.changes().await),
        ("every form holds the same objects", suite.forms().await),
        ("one informer follows two namespaces", suite.namespaces().await),
        ("two shards together hold every object once", suite.shards().await),
        ("handlers are notified of a deletion during a stop", suite.restart().await),
        ("an audit finds nothing to repair", suite.audit().await),
        ("a list is compressed with gzip", suite.gzip_list().await),
        ("an informer waits until its custom kind is served", suite.custom_kind().await),
    ] {
        match outcome {
            Ok(()) => println!("ok      {name}"),
            Err(error) => {
                println!("FAILED  {name}: {error}");
                failed += 1;
            }
        }
    }
    suite.clear().await?;
    println!("{failed} failed");
    Ok(ExitCode::from(u8::from(failed > 0)))
}

struct Suite {
    client: Client,
}

/// A view that holds the metadata only.
#[derive(Deserialize)]
struct View {
    metadata: MetaView,
}

impl Object for View {
    type Kind = ConfigMap;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

impl Suite {
    fn maps(&self, namespace: &str) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn builder(&self) -> InformerBuilder {
        Informer::builder(self.client.clone()).selection(Selection::all().namespace(NAMESPACES[0]))
    }

    /// Creates both namespaces and deletes the suite's objects in them.
    async fn clear(&self) -> Outcome {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        for name in NAMESPACES {
            let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
            let namespace = Namespace { metadata, ..Namespace::default() };
            match namespaces.create(&PostParams::default(), &namespace).await {
                Err(error) if !is(&error, 409) => return Err(error.into()),
                _ => {}
            }
            let ours = ListParams::default().labels("suite=informers");
            self.maps(name).delete_collection(&DeleteParams::default(), &ours).await?;
        }
        Ok(())
    }

    async fn create(&self, namespace: &str, name: &str, text: &str) -> Outcome {
        let labels = json!({"suite": "informers", "app": "web"});
        let map = json!({"metadata": {"name": name, "labels": labels}, "data": {"text": text}});
        self.maps(namespace).create(&PostParams::default(), &serde_json::from_value(map)?).await?;
        Ok(())
    }

    async fn patch(&self, name: &str, patch: Value) -> Outcome {
        self.maps(NAMESPACES[0]).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    async fn create_seven(&self) -> Outcome {
        self.clear().await?;
        for number in 0..7 {
            self.create(NAMESPACES[0], &format!("o{number}"), "text").await?;
        }
        Ok(())
    }

    /// Keys and versions of the suite's objects on the server.
    async fn on_server(&self) -> Result<Vec<String>, Failure> {
        let mut states = Vec::new();
        for namespace in NAMESPACES {
            let ours = ListParams::default().labels("suite=informers");
            states.extend(self.maps(namespace).list(&ours).await?.iter().map(state));
        }
        states.sort();
        Ok(states)
    }

    /// Waits until an informer's store equals the server.
    async fn wait_until_equal<T: Object>(&self, informer: &Informer<T>) -> Outcome {
        let truth = self.on_server().await?;
        until("the store equals the server", || in_store(informer) == truth)
            .await
            .map_err(|error| format!("{error}: {:?} instead of {truth:?}", in_store(informer)).into())
    }

    async fn lists(&self) -> Outcome {
        self.create_seven().await?;
        let ours = Selection::all().namespace(NAMESPACES[0]).labels("suite=informers".parse()?);
        for streaming in [true, false] {
            let builder = self.builder().selection(ours.clone()).streaming_lists(streaming).page_size(2);
            let informer = started(builder.build::<ConfigMap>()).await?;
            self.wait_until_equal(&informer).await?;
            let status = informer.status();
            expect(status.restarts == 0, || format!("streaming={streaming}: {status:?}"))?;
        }
        let one = ours.fields("metadata.name=o3");
        let informer = started(self.builder().selection(one).build::<ConfigMap>()).await?;
        expect(informer.store().len() == 1, || format!("by a field: {:?}", in_store(&informer)))
    }

    async fn changes(&self) -> Outcome {
        self.clear().await?;
        let web = Selection::all().namespace(NAMESPACES[0]).labels("app=web".parse()?);
        let informer = self.builder().selection(web).build::<ConfigMap>();
        let notified = Arc::new(Mutex::new(Vec::new()));
        let log = notified.clone();
        informer.on_change(move |event| log.lock().push(format!("{event:?}")));
        let informer = started(informer).await?;
        self.create(NAMESPACES[0], "a", "1").await?;
        self.patch("a", json!({"data": {"text": "2"}})).await?;
        self.patch("a", json!({"metadata": {"labels": {"app": "db"}}})).await?;
        self.patch("a", json!({"metadata": {"labels": {"app": "web"}}})).await?;
        self.maps(NAMESPACES[0]).delete("a", &DeleteParams::default()).await?;
        let expected = ["added", "updated", "deleted", "added", "deleted"];
        let expected: Vec<_> = expected.iter().map(|word| format!("{word} informer-a/a")).collect();
        until("all handlers have run", || notified.lock().len() >= expected.len()).await?;
        expect(*notified.lock() == expected, || format!("handlers saw {:?}", notified.lock()))?;
        expect(informer.store().is_empty(), || format!("the store holds {:?}", in_store(&informer)))
    }

    async fn forms(&self) -> Outcome {
        self.create_seven().await?;
        self.form::<ConfigMap>().await?;
        self.form::<View>().await?;
        self.form::<Packed<ConfigMap>>().await?;
        self.form::<PartialObjectMeta<ConfigMap>>().await
    }

    async fn form<T: Object<Kind: kube_client::Resource<DynamicType = ()>> + DeserializeOwned>(
        &self,
    ) -> Outcome {
        let ours = Selection::all().namespace(NAMESPACES[0]).labels("suite=informers".parse()?);
        let informer = started(self.builder().selection(ours).build::<T>()).await?;
        self.wait_until_equal(&informer).await?;
        self.patch("o0", json!({"data": {"text": format!("{:?}", Instant::now())}})).await?;
        self.wait_until_equal(&informer).await
    }

    async fn namespaces(&self) -> Outcome {
        self.clear().await?;
        let both = Selection::all().namespaces(NAMESPACES).labels("suite=informers".parse()?);
        self.create(NAMESPACES[0], "a", "text").await?;
        let informer = started(self.builder().selection(both).build::<View>()).await?;
        self.create(NAMESPACES[1], "b", "text").await?;
        self.wait_until_equal(&informer).await?;
        expect(informer.status().sources.len() == 2, || format!("{:?}", informer.status()))
    }

    async fn shards(&self) -> Outcome {
        self.create_seven().await?;
        let count = NonZeroU32::new(2).expect("two is not zero");
        let mut both = Vec::new();
        for number in 0..2 {
            let shard = Selection::all().labels("suite=informers".parse()?).shard(Shard::nth(number, count));
            both.extend(in_store(&started(self.builder().selection(shard).build::<View>()).await?));
        }
        both.sort();
        let truth = self.on_server().await?;
        expect(both == truth, || format!("{both:?} instead of {truth:?}"))
    }

    async fn restart(&self) -> Outcome {
        self.create_seven().await?;
        let informer = started(self.builder().build::<ConfigMap>()).await?;
        let mut events = informer.subscribe();
        while events.try_next().is_some() {}
        informer.stop().await;
        self.maps(NAMESPACES[0]).delete("o3", &DeleteParams::default()).await?;
        informer.start();
        until("an event is pending", || events.pending() > 0).await?;
        let event = events.try_next().ok_or("no event")?;
        let unseen = matches!(&event.change, Change::Deleted(last) if last.final_state_unknown);
        expect(unseen && event.key().name() == "o3", || format!("the event is {event:?}"))
    }

    async fn audit(&self) -> Outcome {
        self.create_seven().await?;
        let informer = started(self.builder().audit(Duration::from_secs(1)).build::<View>()).await?;
        for round in 0..15 {
            self.patch("o1", json!({"data": {"text": format!("{round}")}})).await?;
            sleep(Duration::from_millis(200)).await;
        }
        until("two audits have run", || informer.status().audits >= 2).await?;
        expect(informer.status().restarts == 0, || format!("{:?}", informer.status()))
    }

    async fn gzip_list(&self) -> Outcome {
        self.clear().await?;
        for name in ["a", "b", "c"] {
            self.create(NAMESPACES[0], name, &"text ".repeat(20_000)).await?;
        }
        let informer = started(self.builder().streaming_lists(false).build::<View>()).await?;
        let bytes = informer.status().bytes;
        expect(bytes < 100_000 && informer.store().len() >= 3, || {
            format!("{bytes} bytes were received for objects of 300,000")
        })
    }

    async fn custom_kind(&self) -> Outcome {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let name = "widgets.informers.trimtab.dev";
        remove(&definitions, name).await?;
        let kind = GroupVersionKind::gvk("informers.trimtab.dev", "v1", "Widget");
        let resource = ApiResource::from_gvk_with_plural(&kind, "widgets");
        let informer = Informer::builder(self.client.clone()).build_with::<DynamicObject>(&resource);
        informer.start();
        until("the status says that the kind is not served", || {
            matches!(informer.status().phase, Phase::NotServed { .. })
        })
        .await?;
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let version =
            json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        let names = json!({"kind": "Widget", "plural": "widgets"});
        let group = "informers.trimtab.dev";
        let spec = json!({"group": group, "names": names, "scope": "Namespaced", "versions": [version]});
        let definition = json!({"metadata": {"name": name}, "spec": spec});
        definitions.create(&PostParams::default(), &serde_json::from_value(definition)?).await?;
        let synced = until("the informer has synced", || informer.has_synced()).await;
        remove(&definitions, name).await?;
        synced
    }
}

async fn remove(definitions: &Api<CustomResourceDefinition>, name: &str) -> Outcome {
    match definitions.delete(name, &DeleteParams::default()).await {
        Err(error) if !is(&error, 404) => return Err(error.into()),
        _ => {}
    }
    let begun = Instant::now();
    while definitions.get_opt(name).await?.is_some() {
        expect(begun.elapsed() < TIMEOUT, || format!("{name} still exists after {TIMEOUT:?}"))?;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn is(error: &kube_client::Error, code: u16) -> bool {
    matches!(error, kube_client::Error::Api(status) if status.code == code)
}

/// Starts an informer and waits until it has synced.
async fn started<T: Object + DeserializeOwned>(informer: Informer<T>) -> Result<Informer<T>, Failure> {
    informer.start();
    until("the informer has synced", || informer.has_synced())
        .await
        .map_err(|error| format!("{error}: {:?}", informer.status()))?;
    Ok(informer)
}

/// Keys and versions of the suite's objects in an informer's store.
fn in_store<T: Object>(informer: &Informer<T>) -> Vec<String> {
    let ours = |object: &Arc<T>| object.metadata().label("suite") == Some("informers");
    let mut held: Vec<_> =
        informer.store().list().iter().filter(|object| ours(object)).map(|object| state(&**object)).collect();
    held.sort();
    held
}

fn state<T: Object>(object: &T) -> String {
    format!("{} {}", object.key(), object.metadata().resource_version())
}

async fn until(what: impl Display, is_so: impl Fn() -> bool) -> Outcome {
    let begun = Instant::now();
    while !is_so() {
        expect(begun.elapsed() < TIMEOUT, || format!("after {TIMEOUT:?} it is not true that {what}"))?;
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
