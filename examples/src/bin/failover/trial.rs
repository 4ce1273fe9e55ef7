//! [`Trial`]: one leader, two followers, and one signal.

use std::{
    sync::mpsc::{Receiver, channel},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{runtime::Handle, time::sleep};

use crate::{
    Failure,
    candidate::{Candidate, Kind, Line, Programs},
};

/// Until followers have seen the leader.
const SETTLE: Duration = Duration::from_secs(6);
/// Signals come at different times between two renewals.
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// No failover takes longer.
const LONGEST: Duration = Duration::from_secs(90);

/// A signal that a leader gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Kill,
    Stop,
    Term,
}

impl Signal {
    pub(crate) const ALL: [Self; 3] = [Self::Kill, Self::Stop, Self::Term];

    fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Term => "TERM",
        }
    }
}

/// One failover.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trial<'a> {
    /// The runtime whose timers a trial waits for.
    pub(crate) runtime: &'a Handle,
    pub(crate) programs: &'a Programs,
    pub(crate) leader: Kind,
    pub(crate) follower: Kind,
    pub(crate) signal: Signal,
    pub(crate) round: u32,
    pub(crate) rounds: u32,
}

/// What a trial has measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) signal: Signal,
    pub(crate) failover: Duration,
    /// How often the old leader acted after the new one led.
    pub(crate) late_acts: usize,
}

impl Trial<'_> {
    pub(crate) fn run(self) -> Result<Measured, Failure> {
        let Self { runtime, programs, leader, follower, signal, round, rounds } = self;
        let run = std::process::id();
        let lease = format!("failover-{run}-{leader:?}-{follower:?}-{signal:?}-{round}").to_lowercase();
        let (lines, said) = channel();
        let start = |kind, number| Candidate::start(programs, kind, &lease, number, lines.clone());
        let old = start(leader, 0)?;
        wait(&said, |line| line.what == "leads")?;
        let _followers = [start(follower, 1)?, start(follower, 2)?];
        for _ in 0..2 {
            wait(&said, |line| line.what == "stands" && line.candidate > 0)?;
        }
        let pause = |time| runtime.block_on(async move { sleep(time).await });
        pause(SETTLE + RETRY_PERIOD * round / rounds);
        let sent = SystemTime::now().duration_since(UNIX_EPOCH)?;
        old.signal(signal.name())?;
        let led = wait(&said, |line| line.what == "leads" && line.candidate > 0)?.at;
        if signal == Signal::Stop {
            pause(RETRY_PERIOD);
            old.signal("CONT")?;
            pause(RETRY_PERIOD * 3);
        }
        // Those before it have been passed over while the successor was waited for.
        let late = said.try_iter().filter(|line| line.candidate == 0 && line.what == "acts" && line.at > led);
        Ok(Measured { signal, failover: led.saturating_sub(sent), late_acts: late.count() })
    }
}

fn wait(said: &Receiver<Line>, wanted: impl Fn(&Line) -> bool) -> Result<Line, Failure> {
    let deadline = SystemTime::now() + LONGEST;
    loop {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let line = said.recv_timeout(left).map_err(|_| "a candidate has not said what was expected")?;
        if wanted(&line) {
            return Ok(line);
        }
    }
}
