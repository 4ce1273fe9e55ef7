//! Coordinated elections against an API server; a test plays the part of the server that picks the leader.

mod candidate;
mod changes;
mod server_elector;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use trimtab_apiserver::ApiServer;
use trimtab_leaderelection::{Candidacy, LeaderElector, LeaderElectorBuilder, Leadership, Observer, Outcome};

/// A candidate in its own task. Its work takes a second to stop.
struct Candidate {
    observer: Observer,
    terms: Arc<Mutex<Vec<Leadership>>>,
    /// Set when the work is notified that it must stop.
    told: Arc<AtomicBool>,
    stop: oneshot::Sender<()>,
    outcome: JoinHandle<Outcome<()>>,
}

const WIND_UP: Duration = Duration::from_secs(1);

impl Candidate {
    /// A candidate of version 1.37.0 that emulates `version`.
    fn start(server: &ApiServer, identity: &str, version: &str) -> Self {
        Self::start_with(server, identity, version, |builder| builder)
    }

    fn start_with(
        server: &ApiServer,
        identity: &str,
        version: &str,
        set: impl FnOnce(LeaderElectorBuilder) -> LeaderElectorBuilder,
    ) -> Self {
        let builder = LeaderElector::builder(server.client_as(identity), "default", "web")
            .identity(identity)
            .coordinated(Candidacy::new("1.37.0").emulation_version(version));
        let mut elector = set(builder).build().expect("sound settings");
        let observer = elector.observer();
        let (terms, told) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (begun, ending) = (Arc::clone(&terms), Arc::clone(&told));
        let (stop, stopped) = oneshot::channel::<()>();
        let outcome = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            elector
                .run_terms(stopped, |leadership| {
                    begun.lock().expect("unpoisoned").push(leadership.clone());
                    let ending = Arc::clone(&ending);
                    async move {
                        leadership.lost().await;
                        ending.store(true, Ordering::SeqCst);
                        sleep(WIND_UP).await;
                    }
                })
                .await
        });
        Self { observer, terms, told, stop, outcome }
    }

    fn is_leader(&self) -> bool {
        self.observer.is_leader()
    }

    fn is_told_to_wind_up(&self) -> bool {
        self.told.load(Ordering::SeqCst)
    }

    /// Returns whether a token of any of its terms is valid.
    fn has_token(&self) -> bool {
        self.terms.lock().expect("unpoisoned").iter().any(Leadership::is_valid)
    }

    fn terms(&self) -> usize {
        self.terms.lock().expect("unpoisoned").len()
    }

    async fn stop(self) -> Outcome<()> {
        self.stop.send(()).expect("still running");
        self.outcome.await.expect("no panic")
    }
}
