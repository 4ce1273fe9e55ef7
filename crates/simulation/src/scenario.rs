//! [`Scenario`]: the system under test, its workload, faults and properties.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use trimtab_apiserver::{ApiServerBuilder, Kubelet, StoredObject};

use crate::{
    fault::FaultMix,
    plan::Plan,
    process::{OnEnd, Outcome, Process, Spec},
    property::{Property, Sent, Verdict, When, held_by, never_twice},
    random::{Random, mix},
    step::Step,
    world::World,
};

type Workload = Arc<dyn Fn(&mut Random) -> Vec<(Duration, Step)> + Send + Sync>;
type Configure = Arc<dyn Fn(ApiServerBuilder) -> ApiServerBuilder + Send + Sync>;
type ConfigureKubelet = Arc<dyn Fn(Kubelet) -> Kubelet + Send + Sync>;

/// A system of processes around one API server, with a workload, faults and properties.
#[derive(Clone)]
#[must_use]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) manifests: Vec<String>,
    pub(crate) processes: Vec<Spec>,
    workloads: Vec<Workload>,
    pub(crate) faults: FaultMix,
    pub(crate) properties: Vec<Property>,
    pub(crate) front_ends: usize,
    /// The resources whose objects chaos may touch.
    pub(crate) touched: Vec<String>,
    pub(crate) configure: Vec<Configure>,
    pub(crate) kubelet: Option<ConfigureKubelet>,
    /// The shortest and the longest latency of a message, in milliseconds.
    pub(crate) latency: (u64, u64),
    pub(crate) quiet: Duration,
    pub(crate) most_requests: u32,
}

impl Scenario {
    /// Creates an empty scenario.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            manifests: Vec::new(),
            processes: Vec::new(),
            workloads: Vec::new(),
            faults: FaultMix::environment(),
            properties: Vec::new(),
            front_ends: 0,
            touched: Vec::new(),
            configure: Vec::new(),
            kubelet: None,
            latency: (1, 5),
            quiet: Duration::from_secs(5),
            most_requests: 10_000,
        }
    }

    /// Creates the objects of a manifest (YAML, any number of documents) before any process starts.
    pub fn manifest(mut self, manifest: impl Into<String>) -> Self {
        self.manifests.push(manifest.into());
        self
    }

    /// Adds a process: a closure that runs a controller, a manager or a loop with the [`Process`] that it is given.
    /// It is called again after each crash.
    pub fn process<F, T>(self, name: &str, main: impl Fn(Process) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = T> + Send + 'static,
        T: Outcome,
    {
        self.add(Spec::new(name, main))
    }

    /// Adds `count` processes of the same code, named `name-a`, `name-b` and so on.
    pub fn replicas<F, T>(
        mut self,
        name: &str,
        count: u8,
        main: impl Fn(Process) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = T> + Send + 'static,
        T: Outcome,
    {
        let spec = Spec::new(name, main);
        for replica in 0..count {
            let name = format!("{name}-{}", char::from(b'a' + replica % 26));
            self = self.add(Spec { name: name.into(), ..spec.clone() });
        }
        self
    }

    fn add(mut self, spec: Spec) -> Self {
        self.processes.push(spec);
        self
    }

    /// Sets the reaction to the return or panic of a process that was added so far. By default the history fails.
    pub fn on_end(mut self, on_end: OnEnd) -> Self {
        self.processes.iter_mut().for_each(|process| process.on_end = on_end);
        self
    }

    /// Adds a step of the workload at this time after the start of the processes.
    pub fn step(self, at: Duration, step: Step) -> Self {
        self.workload(move |_| vec![(at, step.clone())])
    }

    /// Adds random steps for each history.
    pub fn workload(
        mut self,
        draw: impl Fn(&mut Random) -> Vec<(Duration, Step)> + Send + Sync + 'static,
    ) -> Self {
        self.workloads.push(Arc::new(draw));
        self
    }

    /// Sets the faults of random histories. Default: [`FaultMix::environment`].
    pub fn faults(self, faults: FaultMix) -> Self {
        Self { faults, ..self }
    }

    /// Lets faults of the cluster touch the objects of this resource, such as `pods` or `replicasets.apps`.
    pub fn touches(mut self, resource: &str) -> Self {
        self.touched.push(resource.to_owned());
        self
    }

    /// Sets the number of front ends of the API server. Processes are distributed over them in turn, and a restarted process
    /// uses the next one. Faults make single front ends lag. By default each process has its own.
    pub fn front_ends(self, front_ends: usize) -> Self {
        Self { front_ends, ..self }
    }

    /// Changes the API server: hooks, RBAC, controllers.
    pub fn server(
        mut self,
        configure: impl Fn(ApiServerBuilder) -> ApiServerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure.push(Arc::new(configure));
        self
    }

    /// Adds a kubelet that runs the Pods, configured by `configure`.
    pub fn kubelet(self, configure: impl Fn(Kubelet) -> Kubelet + Send + Sync + 'static) -> Self {
        Self { kubelet: Some(Arc::new(configure)), ..self }
    }

    /// Sets the latency of a message in whole milliseconds, at least 1 ms. Default: 1 to 5 ms.
    pub fn latency(self, shortest: Duration, longest: Duration) -> Self {
        let shortest = crate::plan::millis(shortest).max(1);
        Self { latency: (shortest, crate::plan::millis(longest).max(shortest)), ..self }
    }

    /// Sets the time without writes after the last fault that ends a history. Default: 5 s.
    pub fn quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Sets the number of requests in a history from which a process counts as a hot loop. Default: 10,000.
    pub fn most_requests(self, requests: u32) -> Self {
        Self { most_requests: requests, ..self }
    }

    /// Adds a property that is checked after every commit.
    pub fn always<V: Into<Verdict>>(
        self,
        name: &str,
        check: impl Fn(&World) -> V + Send + Sync + 'static,
    ) -> Self {
        self.property(name, When::Always(Arc::new(move |world| check(world).into())))
    }

    /// Adds a property that must hold `within` this time after the last fault. It is checked at that time, and earlier
    /// whenever the history could end.
    pub fn eventually<V: Into<Verdict>>(
        self,
        name: &str,
        within: Duration,
        check: impl Fn(&World) -> V + Send + Sync + 'static,
    ) -> Self {
        self.property(name, When::Eventually(within, Arc::new(move |world| check(world).into())))
    }

    /// Adds a property that is checked at the end of the history, for conditions on all [commits](World::commits).
    pub fn at_end<V: Into<Verdict>>(
        self,
        name: &str,
        check: impl Fn(&World) -> V + Send + Sync + 'static,
    ) -> Self {
        self.property(name, When::AtEnd(Arc::new(move |world| check(world).into())))
    }

    /// Adds a property that is checked whenever a process sends a request.
    pub fn on_request<V: Into<Verdict>>(
        self,
        name: &str,
        check: impl Fn(&World, &Sent) -> V + Send + Sync + 'static,
    ) -> Self {
        self.property(name, When::Sent(Arc::new(move |world, sent| check(world, sent).into())))
    }

    /// Requires that no process writes any more two minutes after the last fault. Leases and events do not count.
    pub fn settles(self) -> Self {
        self.settles_within(Duration::from_secs(120))
    }

    /// Requires that no process writes any more at this time after the last fault. Leases and events do not count.
    pub fn settles_within(self, within: Duration) -> Self {
        self.property("settles", When::Settles(within))
    }

    /// Requires that no two live objects of `resource` have the same key. Objects without a key do not count. A key usually
    /// begins with [`controller_uid`](crate::controller_uid).
    pub fn never_twice(
        self,
        resource: &str,
        key: impl Fn(&StoredObject) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let name = format!("never twice: {resource}");
        let resource = resource.to_owned();
        self.property(&name, When::Always(Arc::new(move |world| never_twice(world, &resource, &key))))
    }

    /// Requires that at most one process leads under `lease` at any time: see [`Process::leads`].
    pub fn one_leader(self, lease: &str) -> Self {
        let name = format!("one leader: {lease}");
        self.property(&name, When::OneLeader(lease.to_owned()))
    }

    /// Requires that a process holds the Lease `namespace/name` under its [`identity`](Process::identity) whenever it sends
    /// a write. Writes to Leases and events are exempt.
    pub fn no_write_without_lease(self, lease: &str) -> Self {
        let name = format!("no write without lease: {lease}");
        let lease = lease.to_owned();
        self.property(&name, When::Sent(Arc::new(move |world, sent| held_by(world, &lease, sent))))
    }

    fn property(mut self, name: &str, when: When) -> Self {
        self.properties.push(Property { name: name.into(), when });
        self
    }

    /// Returns the scenario's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the time of the wall clocks at the begin of a history.
    pub(crate) fn start_time() -> Timestamp {
        Timestamp::from_second(1_767_225_600).expect("2026-01-01 is a time")
    }

    /// Returns the steps of the history of `seed`, in order.
    pub(crate) fn steps(&self, seed: u64) -> Vec<(Duration, Step)> {
        let draw = |(number, workload): (usize, &Workload)| {
            workload(&mut Random::seeded(mix(seed, 0x776f_726b, number as u64)))
        };
        let mut steps: Vec<_> = self.workloads.iter().enumerate().flat_map(draw).collect();
        steps.sort_by_key(|(at, _)| *at);
        steps
    }

    /// Draws the plan of `seed`.
    pub fn plan(&self, seed: u64) -> Plan {
        let steps: Vec<u64> = self.steps(seed).iter().map(|(at, _)| crate::plan::millis(*at)).collect();
        let names: Vec<_> = self.processes.iter().map(|process| process.name.clone()).collect();
        let mut random = Random::seeded(mix(seed, 0x666c_7473, 0));
        Plan { faults: self.faults.draw(&mut random, &names, &steps), ..Plan::new(seed) }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, processes, properties, .. } = self;
        f.debug_struct("Scenario")
            .field("name", name)
            .field("processes", processes)
            .field("properties", properties)
            .finish_non_exhaustive()
    }
}
