//! `demo --deployments`: Kubernetes' Deployment and ReplicaSet controllers of this package under faults, on an API server in
//! this process. Rollouts, a pause, a broken image that is rolled back, and a leader that is killed.

mod books;
mod display;
mod replicas;

use std::{future::pending, time::Duration};

use k8s_openapi::api::apps::v1::Deployment;
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use trimtab_apiserver::{ApiServer, FaultGuard, Filter, Kubelet, Refusal, Verb};

use self::{
    books::{Books, Row},
    display::{Display, table},
    replicas::{Replicas, USER_AGENT},
};
use crate::failure::Failure;

/// The name, the Pods, `maxSurge` and `maxUnavailable` of each Deployment.
const DEPLOYMENTS: [(&str, u32, u32, u32); 3] = [("web", 20, 5, 5), ("api", 10, 1, 0), ("batch", 6, 0, 2)];

/// The time for each step.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The time for all of them.
const LIMIT: Duration = Duration::from_secs(30);

/// The annotation that asks for a rollback; 0 is the last revision.
const ROLLBACK: &str = "deprecated.deployment.rollback.to";

/// Runs the demo to its end.
pub(crate) async fn run() -> Result<(), Failure> {
    let server = ApiServer::start();
    let books = Books::new();
    let mut background = JoinSet::new(); // aborted at the end
    background.spawn(books.clone().record(server.commits()));
    let kubelet = Kubelet::new(server.client()).startup(Duration::from_millis(150));
    background.spawn(kubelet.termination(Duration::from_millis(100)).run(pending()));
    let mut replicas = Replicas::default();
    for identity in ["replica-a", "replica-b"] {
        replicas.start(&server, identity)?;
    }
    let display = Display::start(&books);
    let stage = Stage { server: &server, books: &books, display: &display };
    let ended = within(LIMIT, stage.perform(&mut replicas)).await;
    drop(display);
    let rows = books.rows();
    println!("{}", table(&rows));
    ended?;
    judge(&rows)
}

/// Fails if the steps take longer than the limit.
async fn within(limit: Duration, steps: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let exceeded = |_| Err(Failure::Cluster(format!("the demo did not end within {limit:?}")));
    timeout(limit, steps).await.unwrap_or_else(exceeded)
}

/// Fails if a bound of a rollout was not kept.
fn judge(rows: &[(String, Row)]) -> Result<(), Failure> {
    let broken: Vec<_> = rows.iter().filter(|(_, row)| !row.is_kept()).map(|(app, _)| app.as_str()).collect();
    if broken.is_empty() {
        println!("every rollout kept maxSurge and maxUnavailable, and every Deployment is complete");
        return Ok(());
    }
    Err(Failure::Cluster(format!("rollouts did not keep their bounds: {}", broken.join(", "))))
}

/// The cluster and its user.
struct Stage<'a> {
    server: &'a ApiServer,
    books: &'a Books,
    display: &'a Display,
}

impl Stage<'_> {
    async fn perform(&self, replicas: &mut Replicas) -> Result<(), Failure> {
        self.create().await?;
        self.under_cut_watches().await?;
        self.under_lost_replies().await?;
        self.paused().await?;
        self.rolled_back().await?;
        self.display.say("web → v4, and the leader is killed in the middle");
        self.set_image("web", "v4").await?;
        self.until("web", "half of it is replaced", |row| row.updated >= 8).await?;
        let killed = replicas.kill_leader().unwrap_or_default();
        tokio::select! {
            complete = self.complete("web") => complete?,
            failure = replicas.failed() => return Err(failure),
        }
        self.display.say(&format!("        {killed} is gone, the other replica has ended the rollout"));
        Ok(())
    }

    async fn create(&self) -> Result<(), Failure> {
        let total: u32 = DEPLOYMENTS.iter().map(|(_, replicas, ..)| replicas).sum();
        self.display.say(&format!("{} Deployments of {total} Pods", DEPLOYMENTS.len()));
        for deployment in &DEPLOYMENTS {
            let object = manifest(deployment);
            let created = self.api().create(&PostParams::default(), &object).await;
            created.map_err(Failure::api("creating a Deployment"))?;
        }
        for (app, ..) in DEPLOYMENTS {
            self.complete(app).await?;
        }
        Ok(())
    }

    async fn under_cut_watches(&self) -> Result<(), Failure> {
        self.display.say("web → v2, while watches are cut and the history is compacted");
        self.set_image("web", "v2").await?;
        let (faults, mut cut) = (self.server.faults(), 0);
        for _ in 0..5 {
            sleep(Duration::from_millis(150)).await;
            cut += faults.cut_watches(&Filter::any().user_agent(USER_AGENT));
            faults.compact();
        }
        self.complete("web").await?;
        self.display.say(&format!("        complete; {cut} watches were cut"));
        Ok(())
    }

    async fn under_lost_replies(&self) -> Result<(), Failure> {
        self.display.say("api → v2, while replies to writes are lost and writes are refused");
        let own = || Filter::any().user_agent(USER_AGENT);
        let faults = self.server.faults();
        let guards = [
            faults.lose_reply(own().verb(Verb::Create).resource("pods"), 3),
            faults.refuse(own().verb(Verb::Patch).resource("replicasets.apps"), Refusal::conflict(), 3),
            faults.refuse(own().verb(Verb::Create).resource("pods"), Refusal::internal_error(), 3),
        ];
        self.set_image("api", "v2").await?;
        self.complete("api").await?;
        let left: usize = guards.iter().map(FaultGuard::remaining).sum();
        self.display.say(&format!("        complete; {} requests failed", 9 - left));
        Ok(())
    }

    async fn paused(&self) -> Result<(), Failure> {
        self.display.say("web → v3, paused in the middle");
        self.set_image("web", "v3").await?;
        self.until("web", "a part of it is replaced", |row| row.updated >= 5).await?;
        self.patch("web", json!({"spec": {"paused": true}})).await?;
        self.until("web", "it is paused", |row| row.progress == "DeploymentPaused").await?;
        sleep(Duration::from_millis(400)).await; // Pods that were created before become ready
        let before = self.books.row("web");
        sleep(Duration::from_millis(800)).await;
        let after = self.books.row("web");
        if (after.created, after.deleted) != (before.created, before.deleted) {
            return Err(Failure::Cluster("a paused Deployment created or deleted Pods".to_owned()));
        }
        self.display.say(&format!("        {} of 20 Pods are new, and stay so", after.updated));
        self.patch("web", json!({"spec": {"paused": false}})).await?;
        self.complete("web").await?;
        self.display.say("        resumed, and complete");
        Ok(())
    }

    async fn rolled_back(&self) -> Result<(), Failure> {
        self.display.say("batch → an image that does not exist");
        self.set_image("batch", "batch:404").await?;
        self.until("batch", "its deadline is exceeded", |row| row.progress == "ProgressDeadlineExceeded")
            .await?;
        let ready = self.books.row("batch").least_ready;
        self.display.say(&format!("        ProgressDeadlineExceeded; {ready} old Pods still serve"));
        self.patch("batch", json!({"metadata": {"annotations": {ROLLBACK: "0"}}})).await?;
        self.until("batch", "it is rolled back", |row| row.revision == "3" && row.is_complete).await?;
        self.display.say("        rolled back to revision 1, which is now revision 3");
        Ok(())
    }

    fn api(&self) -> Api<Deployment> {
        Api::default_namespaced(self.server.client())
    }

    async fn patch(&self, app: &str, patch: Value) -> Result<(), Failure> {
        let patched = self.api().patch(app, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.map(drop).map_err(Failure::api(format_args!("changing Deployment {app}")))
    }

    async fn set_image(&self, app: &str, image: &str) -> Result<(), Failure> {
        self.patch(app, json!({"spec": {"template": template(app, image)}})).await?;
        // Else its status could still be read as complete.
        self.until(app, "the change is recorded", |row| !row.is_complete).await
    }

    async fn complete(&self, app: &str) -> Result<(), Failure> {
        self.until(app, "it is rolled out", |row| row.is_complete && row.updated == row.desired).await
    }

    async fn until(&self, app: &str, state: &str, is_there: impl Fn(&Row) -> bool) -> Result<(), Failure> {
        let reached = timeout(TIMEOUT, self.books.until(app, is_there)).await;
        reached.map_err(|_| {
            let row = self.books.row(app);
            Failure::Cluster(format!("Deployment {app}: not within {TIMEOUT:?}: {state}; it is {row:?}"))
        })
    }
}

fn template(app: &str, image: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn manifest((app, replicas, surge, unavailable): &(&str, u32, u32, u32)) -> Deployment {
    let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
    let object = json!({
        "metadata": {"name": app, "labels": {"app": app}},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": if *app == "batch" { 1 } else { 600 },
            "selector": {"matchLabels": {"app": app}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": template(app, "v1"),
        },
    });
    serde_json::from_value(object).expect("it is a Deployment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_demo_that_takes_longer_than_its_limit_fails() {
        let slow = async {
            sleep(LIMIT + Duration::from_secs(1)).await;
            Ok(())
        };
        let failure = within(LIMIT, slow).await.expect_err("too slow").to_string();
        assert_eq!(failure, "the demo did not end within 30s");
        within(LIMIT, async { Ok(()) }).await.expect("in time");
    }

    #[test]
    fn a_rollout_beyond_its_bounds_is_named() {
        let kept = Row { most: 12, least: 8, most_wanted: 12, least_ready: 8, ..Row::default() };
        let many = Row { most_wanted: 13, ..kept.clone() };
        let few = Row { least_ready: 7, ..kept.clone() };
        let rows = [("a", kept.clone()), ("b", many), ("c", few)].map(|(app, row)| (app.to_owned(), row));
        let refused = judge(&rows).expect_err("two are broken").to_string();
        assert_eq!(refused, "rollouts did not keep their bounds: b, c");
        judge(&[("a".to_owned(), kept)]).expect("it is kept");
    }
}
