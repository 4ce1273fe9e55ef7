//! [`Links`]: the connection of each process to the API server: its front end and its faults.

use std::{collections::BTreeSet, io, time::Duration};

use trimtab_apiserver::{ApiServer, FaultGuard, Filter};

use crate::process::{Actor, ReplyBody};

/// The response to a request.
pub(super) type Response = io::Result<http::Response<ReplyBody>>;

/// One process's connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    front_end: usize,
    /// The number of active partitions.
    pub(super) partitions: u32,
    /// The number of active faults that prevent watches and lists.
    pub(super) blind: u32,
    /// The resources whose next watch has expired.
    pub(super) expired: BTreeSet<String>,
    /// The number of active faults that duplicate events.
    pub(super) doubles: u32,
}

/// The connections of all processes.
#[derive(Debug)]
pub(super) struct Links {
    links: Vec<Link>,
    front_ends: usize,
    lags: Vec<Lagging>,
    newest: u64,
}

/// A front end that lags.
#[derive(Debug)]
struct Lagging {
    id: u64,
    front_end: usize,
    lag: Duration,
    guards: Vec<FaultGuard>,
}

impl Links {
    pub(super) fn new(processes: usize, front_ends: usize) -> Self {
        let links = (0..processes).map(|_| Link::default()).collect();
        Self { links, front_ends, lags: Vec::new(), newest: 0 }
    }

    pub(super) fn of(&mut self, process: usize) -> &mut Link {
        &mut self.links[process]
    }

    /// Connects a process that is started for the `starts`th time to its front end.
    pub(super) fn connect(&mut self, process: usize, starts: u32, actors: &[Actor], api: &ApiServer) {
        self.links[process].front_end = match self.front_ends {
            0 => process,
            front_ends => (process + starts as usize) % front_ends,
        };
        self.follow(actors, api);
    }

    /// Makes the front end of `process` lag from now on. Returns the number of the fault.
    pub(super) fn lag(&mut self, process: usize, lag: Duration, actors: &[Actor], api: &ApiServer) -> u64 {
        self.newest += 1;
        let front_end = self.links[process].front_end;
        self.lags.push(Lagging { id: self.newest, front_end, lag, guards: Vec::new() });
        self.follow(actors, api);
        self.newest
    }

    pub(super) fn catch_up(&mut self, id: u64) {
        self.lags.retain(|lagging| lagging.id != id);
    }

    /// Applies the lag of each front end to the server's responses for its processes.
    fn follow(&mut self, actors: &[Actor], api: &ApiServer) {
        let Self { links, lags, .. } = self;
        for lagging in lags {
            let on_it = links.iter().zip(actors).filter(|(link, _)| link.front_end == lagging.front_end);
            let guards = on_it.map(|(_, actor)| api.faults().lag_replica(of(actor), lagging.lag));
            lagging.guards = guards.collect();
        }
    }
}

/// Returns the requests of a process.
pub(super) fn of(actor: &Actor) -> Filter {
    Filter::any().user_agent(&*actor.name)
}
