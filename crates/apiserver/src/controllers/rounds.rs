//! Going round after round over things that need it: when to look again. Apart from the controllers that do
//! it, because the rule is the same for all of them: whenever something has happened to the thing, not every
//! few seconds.

use std::{collections::BTreeSet, future::Future, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use kube_client::Error;
use tokio::time::sleep;

use crate::{Commit, Commits};

/// How long a failed round rests before the next.
const REST: Duration = Duration::from_millis(100);

/// The watched objects by name.
///
/// - I1: what is in `due` or in `busy` is in `tended`, or was when its round began.
/// - I2: no name is in two rounds at the same time.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    tended: BTreeSet<String>,
    due: BTreeSet<String>,
    busy: BTreeSet<String>,
}

impl Rounds {
    /// Looks after these, with nothing to do for them yet.
    pub(crate) fn tending(names: &[&str]) -> Self {
        Self { tended: names.iter().map(|name| (*name).to_owned()).collect(), ..Self::default() }
    }

    /// `name` is to be looked after if `held`, and is of no more concern if not.
    pub(crate) fn set(&mut self, name: &str, held: bool) {
        if !held {
            self.tended.remove(name);
            self.due.remove(name);
        } else if self.tended.insert(name.to_owned()) {
            self.due.insert(name.to_owned());
        }
    }

    /// Something has happened to `name`.
    pub(crate) fn touch(&mut self, name: &str) {
        if self.tended.contains(name) {
            self.due.insert(name.to_owned());
        }
    }

    /// Something has happened that may concern all.
    pub(crate) fn touch_all(&mut self) {
        self.due.extend(self.tended.iter().cloned());
    }

    fn next(&mut self) -> Option<String> {
        let name = self.due.difference(&self.busy).next()?.clone();
        self.due.remove(&name);
        self.busy.insert(name.clone());
        Some(name)
    }

    fn finished(&mut self, name: &str, failed: bool) {
        self.busy.remove(name);
        if failed {
            self.touch(name);
        }
    }
}

/// Runs `round` for each name that is due, as `observe` says on seeing the commits, until the server
/// is dropped. `rounds` has what is due at the beginning. A round that fails is repeated.
pub(crate) async fn go<F>(
    mut rounds: Rounds,
    mut commits: Commits,
    observe: impl Fn(&mut Rounds, &Commit),
    round: impl Fn(String) -> F,
) where
    F: Future<Output = Result<(), Error>>,
{
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(name) = rounds.next() {
            let result = round(name.clone());
            running.push(async move {
                let failed = result.await.inspect_err(|error| {
                    tracing::debug!(name, %error, "a round failed, and will be tried again");
                });
                if failed.is_err() {
                    sleep(REST).await;
                }
                (name, failed.is_err())
            });
        }
        tokio::select! {
            // Commits first: what went while a round ran makes another one due before it counts as finished.
            biased;
            commit = commits.next() => {
                let Some(commit) = commit else { return };
                observe(&mut rounds, &commit);
            }
            Some((name, failed)) = running.next() => rounds.finished(&name, failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_while_a_round_runs_makes_another_round_due() {
        let mut rounds = Rounds::default();
        rounds.touch("a");
        assert_eq!(rounds.next(), None, "nobody empties it");
        rounds.set("a", true);
        assert_eq!(rounds.next().as_deref(), Some("a"));
        rounds.touch("a");
        assert_eq!(rounds.next(), None, "one round at a time (I2)");
        rounds.finished("a", false);
        assert_eq!(rounds.next().as_deref(), Some("a"));
        rounds.set("a", false);
        rounds.finished("a", true);
        assert_eq!(rounds.next(), None, "it is gone");
    }
}
