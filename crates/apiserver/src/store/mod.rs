//! The storage: one global version, the objects of every resource, and the history that watches,
//! exact lists and [`Commits`](crate::Commits) read.

mod change;
pub(crate) mod commits;
mod compactor;
mod cursor;
mod draft;
mod record;
mod state;
mod stored;
mod text;
mod token;

use std::{ops::Bound, pin::pin, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

pub use self::change::ChangeKind;
use self::{commits::Commit, state::State};
pub(crate) use self::{
    cursor::{Cursor, Taken},
    draft::Draft,
    record::Event,
    state::{Expired, Moved},
    stored::{Stored, line},
    token::Continue,
};
use crate::api::key::Key;

/// The storage's shell: it locks, and wakes after unlocking.
#[derive(Debug)]
pub(crate) struct Store {
    shared: Mutex<Shared>,
    /// Rung after every commit, for those who wait for a version.
    advanced: Notify,
}

#[derive(Debug)]
struct Shared {
    state: State,
    /// Who follows all commits. Each channel holds what its reader has not read yet.
    followers: Vec<mpsc::UnboundedSender<Commit>>,
    /// Nothing is committed any more, and every cursor has ended.
    closed: bool,
}

/// A part of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// The objects, ordered by key.
    pub(crate) items: Vec<Arc<Stored>>,
    /// The version that the whole list shows.
    pub(crate) version: u64,
    /// The key of the last item, if there is more after it.
    pub(crate) last: Option<Key>,
    /// How many objects come after this page, before any selector.
    pub(crate) remaining: usize,
}

impl Store {
    /// A storage whose history has so many bytes at most.
    pub(crate) fn new(most_history_bytes: usize) -> Arc<Self> {
        let shared = Shared { state: State::new(most_history_bytes), followers: Vec::new(), closed: false };
        Arc::new(Self { shared: Mutex::new(shared), advanced: Notify::new() })
    }

    /// The version of the newest commit.
    pub(crate) fn version(&self) -> u64 {
        self.shared.lock().state.version
    }

    /// Waits until the newest commit is `version` or a later one. Cancel safe.
    pub(crate) async fn reached(&self, version: u64) {
        loop {
            let mut advanced = pin!(self.advanced.notified());
            advanced.as_mut().enable(); // before the check: a commit between the two would not be noticed
            if self.version() >= version {
                return;
            }
            advanced.await;
        }
    }

    /// The present state of an object.
    pub(crate) fn get(&self, resource: &str, key: &Key) -> Option<Arc<Stored>> {
        self.shared.lock().state.get(resource, key)
    }

    /// The state of an object at `version`, if history reaches back to it; otherwise its present state.
    pub(crate) fn get_at(&self, resource: &str, key: &Key, version: u64) -> Option<Arc<Stored>> {
        self.shared.lock().state.get_at(resource, key, version)
    }

    /// The version that a reader of `resource` alone saw as the newest at `time`, as far as history
    /// reaches back.
    pub(crate) fn version_at(&self, resource: &str, time: Instant) -> u64 {
        self.shared.lock().state.version_at(resource, time)
    }

    /// Writes `draft` if the object is still at version `expected` (`None`: absent).
    pub(crate) fn put(
        &self,
        resource: &str,
        key: &Key,
        expected: Option<u64>,
        draft: Draft,
    ) -> Result<Arc<Stored>, Moved> {
        self.commit(resource, key, expected, Some(draft))
    }

    /// Removes the object if it is still at version `expected`. Returns its last state, with the
    /// version of its deletion.
    pub(crate) fn remove(&self, resource: &str, key: &Key, expected: u64) -> Result<Arc<Stored>, Moved> {
        self.commit(resource, key, Some(expected), None)
    }

    fn commit(
        &self,
        resource: &str,
        key: &Key,
        expected: Option<u64>,
        draft: Option<Draft>,
    ) -> Result<Arc<Stored>, Moved> {
        let resource: Arc<str> = resource.into();
        let now = Instant::now();
        let (event, waiters) = {
            let mut shared = self.shared.lock();
            let (event, waiters) = shared.state.commit(&resource, key, expected, draft, now)?;
            if !shared.followers.is_empty() {
                let commit = Commit::of(&resource, &event);
                // Sent under the lock: outside, two writers could swap their commits' order.
                shared.followers.retain(|follower| follower.send(commit.clone()).is_ok());
            }
            (event, waiters)
        };
        waiters.into_values().for_each(std::task::Waker::wake);
        self.advanced.notify_waiters();
        Ok(event.object.clone())
    }

    /// Up to `limit` objects of `resource` in `namespace` (empty: in all) after the key `after`, as
    /// they were at `version` (`None`: now), without those that `keep` refuses.
    pub(crate) fn list(
        &self,
        resource: &str,
        namespace: &str,
        version: Option<u64>,
        after: Option<&Key>,
        limit: usize,
        keep: impl Fn(&Stored) -> bool,
    ) -> Result<Page, Expired> {
        let now = Instant::now();
        let version = version.unwrap_or_else(|| self.version());
        let mut page = Page { items: Vec::new(), version, last: None, remaining: 0 };
        let mut after = after.cloned();
        let mut chunk = 0_usize;
        loop {
            // In chunks, so that a selector never runs under the lock. All chunks are of `version`. Each looks at the
            // whole rest, to count it: chunks that stayed as small as the page would make that a square.
            let wanted = limit - page.items.len();
            chunk = wanted.max(chunk.saturating_mul(2));
            let range = (start(namespace, after.as_ref()), end(namespace));
            let scan = self.shared.lock().state.scan(resource, range, version, chunk, now)?;
            let mut taken = 0;
            for stored in &scan.items {
                taken += 1;
                if keep(stored) {
                    page.items.push(stored.clone());
                    if page.items.len() == limit {
                        break;
                    }
                }
            }
            let remaining = scan.remaining + scan.items.len() - taken;
            if remaining == 0 {
                return Ok(page);
            }
            after = taken.checked_sub(1).map(|last| scan.items[last].key.clone()).or(after);
            if page.items.len() == limit {
                return Ok(Page { last: after, remaining, ..page });
            }
        }
    }

    /// A cursor behind everything that happened up to `version`.
    pub(crate) fn watch(self: &Arc<Self>, resource: &str, version: u64) -> Result<Cursor, Expired> {
        let mut shared = self.shared.lock();
        shared.state.check(resource, version)?;
        let waiter = shared.state.waiter();
        drop(shared);
        Ok(Cursor::new(self.clone(), resource.into(), waiter, version))
    }

    /// Every commit from now on.
    pub(crate) fn follow(&self) -> mpsc::UnboundedReceiver<Commit> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut shared = self.shared.lock();
        if !shared.closed {
            shared.followers.push(sender);
        }
        receiver
    }

    /// Forgets all history.
    pub(crate) fn compact(&self) {
        let waiters = {
            let mut shared = self.shared.lock();
            shared.state.compact();
            shared.state.take_waiters()
        };
        waiters.into_iter().for_each(std::task::Waker::wake);
    }

    /// Removes every object of a resource that is no longer served.
    pub(crate) fn clear(&self, resource: &str) {
        let Ok(page) = self.list(resource, "", None, None, usize::MAX, |_| true) else {
            return;
        };
        for stored in page.items {
            // Moved: somebody else wrote it in between and found the resource gone.
            self.remove(resource, &stored.key, stored.version).ok();
        }
    }

    /// Whether the server was shut down.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }

    /// Ends every cursor and every follower.
    pub(crate) fn close(&self) {
        let waiters = {
            let mut shared = self.shared.lock();
            shared.closed = true;
            shared.followers.clear();
            shared.state.take_waiters()
        };
        waiters.into_iter().for_each(std::task::Waker::wake);
    }
}

/// Where a list of `namespace` begins.
fn start(namespace: &str, after: Option<&Key>) -> Bound<Key> {
    match after {
        Some(key) => Bound::Excluded(key.clone()),
        None if namespace.is_empty() => Bound::Unbounded,
        None => Bound::Excluded(Key::from_text(&format!("{namespace}/"))),
    }
}

/// Where it ends: `0` is the character after `/`.
fn end(namespace: &str) -> Bound<Key> {
    if namespace.is_empty() {
        Bound::Unbounded
    } else {
        Bound::Excluded(Key::from_text(&format!("{namespace}0")))
    }
}
