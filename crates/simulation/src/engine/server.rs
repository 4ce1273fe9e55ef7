//! [`Server`]: the API server and its runtime, as the engine sees them.

use std::{collections::VecDeque, io, sync::Arc};

use bytes::Bytes;
use http::{Request, response};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tower::ServiceExt;
use trimtab_apiserver::{ApiServer, Commit, Commits, Kubelet};

use crate::{
    Scenario,
    runtime::{Signal, Stepped},
};

/// An output of the server.
#[derive(Debug)]
pub(super) enum Output {
    /// A response; without a body, the frames of a watch follow.
    Response { id: u64, parts: response::Parts, body: Option<Bytes> },
    /// A piece of a watch.
    Frame { id: u64, bytes: Bytes },
    /// The connection broke, or a watch has ended: `Some` is the error.
    End { id: u64, error: Option<io::Error> },
}

#[derive(Debug, Default)]
struct Outputs {
    queue: Mutex<VecDeque<Output>>,
    signal: Arc<Signal>,
}

impl Outputs {
    fn put(&self, output: Output) {
        self.queue.lock().push_back(output);
        self.signal.put_out();
    }
}

/// The API server. Fields are dropped in this order: the server, then its runtime.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) api: ApiServer,
    commits: Commits,
    outputs: Arc<Outputs>,
    runtime: Stepped,
}

impl Server {
    /// Starts the server of a history and creates the objects of the manifests.
    pub(super) fn start(scenario: &Scenario, seed: u64) -> Result<Self, String> {
        let signal = Arc::new(Signal::default());
        let runtime = Stepped::new(signal.clone()).map_err(|error| error.to_string())?;
        let builder = ApiServer::builder().seed(seed).start_time(Scenario::start_time()).bootstrap(false);
        let builder = scenario.configure.iter().fold(builder, |builder, configure| configure(builder));
        let api = runtime.enter(|| builder.start());
        let commits = api.commits();
        for manifest in &scenario.manifests {
            runtime.complete(api.load_text(manifest)).map_err(|error| error.to_string())?;
        }
        if let Some(configure) = &scenario.kubelet {
            let client = runtime.enter(|| api.client_as("kubelet"));
            let kubelet = configure(Kubelet::new(client));
            runtime.spawn(kubelet.run(std::future::pending()));
        }
        runtime.settle();
        let outputs = Arc::new(Outputs { signal, ..Outputs::default() });
        Ok(Self { api, commits, outputs, runtime })
    }

    /// Returns the server's time.
    pub(super) fn now(&self) -> u64 {
        self.runtime.now()
    }

    /// Runs the server up to `until`, or until it has an output. Returns the time.
    pub(super) fn run_until(&self, until: u64) -> u64 {
        self.runtime.run_until(until)
    }

    /// Begins to carry out a request, as far as possible without advancing the clock.
    pub(super) fn carry_out(&self, id: u64, request: Request<Full<Bytes>>, is_watch: bool) -> AbortHandle {
        let (outputs, service) = (self.outputs.clone(), self.api.service());
        let task = self.runtime.spawn(async move {
            let (parts, mut body) = match service.oneshot(request).await {
                Ok(response) => response.into_parts(),
                Err(error) => return outputs.put(Output::End { id, error: Some(error) }),
            };
            if !is_watch || !parts.status.is_success() {
                return outputs.put(match body.collect().await {
                    Ok(body) => Output::Response { id, parts, body: Some(body.to_bytes()) },
                    Err(error) => Output::End { id, error: Some(error) },
                });
            }
            outputs.put(Output::Response { id, parts, body: None });
            let mut ending = None;
            while let Some(frame) = body.frame().await {
                match frame.map(http_body::Frame::into_data) {
                    Ok(Ok(bytes)) => outputs.put(Output::Frame { id, bytes }),
                    Ok(Err(_)) => {} // trailers
                    Err(error) => {
                        ending = Some(error);
                        break;
                    }
                }
            }
            outputs.put(Output::End { id, error: ending });
        });
        self.runtime.settle();
        task.abort_handle()
    }

    /// Runs the server's tasks as far as possible without advancing the clock.
    pub(super) fn settle(&self) {
        self.runtime.settle();
    }

    /// Takes the outputs since the last call.
    pub(super) fn outputs(&self) -> VecDeque<Output> {
        self.outputs.signal.taken();
        std::mem::take(&mut *self.outputs.queue.lock())
    }

    /// Takes the commits since the last call.
    pub(super) fn commits(&mut self) -> Vec<Commit> {
        std::iter::from_fn(|| self.commits.try_next()).collect()
    }
}
