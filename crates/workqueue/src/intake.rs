//! [`Intake`]: the keys that producers have added and that are not in the state yet.
//!
//! While several threads use the queue, an add leaves its key here and does not touch the state, so that producers and
//! workers do not take the state's cache lines from each other. Whoever locks the state next moves the keys into it first, in the order of the adds. No step
//! therefore sees a state without a key whose add had returned.

use crate::{
    state::AddParams,
    sync::{AtomicBool, AtomicUsize, Mutex, Ordering, spin_loop},
};

/// A key that was added and is not in the state yet.
#[derive(Debug)]
pub(crate) struct Arrival<K> {
    /// `None` once the state has it.
    pub(crate) key: Option<K>,
    pub(crate) hash: u32,
    pub(crate) params: AddParams,
}

/// The result of [`Intake::push`].
#[derive(Debug)]
pub(crate) enum Pushed<K> {
    /// The next step on the state receives the key.
    Left,
    /// The caller has to lock the state, because a worker sleeps or there are too many keys.
    Urgent,
    /// There are many keys; the caller receives them, unless another thread is about to.
    Many,
    /// The queue is shutting down. The key belongs to the caller, who drops it outside the lock.
    Refused(Arrival<K>),
}

/// The keys in the order of their adds.
///
/// - H1: a step on the state receives all keys whose adds had returned when it locked the state.
/// - H2: while a worker sleeps, `attended` is set, and every add is followed by a step on the state. The worker sets it
///   under the lock of the state and of the intake, and only if there are no keys.
/// - H3: no key is added once `closed` is set, which is under the lock of the state.
#[derive(Debug)]
pub(crate) struct Intake<K> {
    inbox: Mutex<Inbox<K>>,
    /// The number of keys. Changed under the lock of the inbox only, and read without it.
    len: AtomicUsize,
    /// Whether a worker sleeps. Changed under the lock of the inbox only.
    attended: AtomicBool,
    /// Whether several threads use the queue. A guess that costs time only if it is wrong: adds then take the long way
    /// round, or meet at the state's lock.
    contended: AtomicBool,
}

#[derive(Debug)]
struct Inbox<K> {
    keys: Vec<Arrival<K>>,
    closed: bool,
}

/// The keys that the next step moves into the state: those of the intake, and those that wait for a batch.
///
/// - B1: an add leaves its key here only if the intake is empty. The keys here were therefore added before those there.
/// - B2: a key waits here only while no worker sleeps and no shutdown has begun. A worker that is about to sleep receives
///   the keys first.
#[derive(Debug)]
pub(crate) struct Received<K> {
    keys: Vec<Arrival<K>>,
    /// The place of the next key. It is behind a key whose `Eq` panicked, so that the keys after it are not lost.
    next: usize,
    /// Whether the last add was of a new key. Then the next one probably is, too: only such adds are faster in batches.
    are_new: bool,
}

impl<K> Received<K> {
    pub(crate) const EMPTY: Self = Self { keys: Vec::new(), next: 0, are_new: true };

    /// Returns whether the next add is probably of a new key.
    #[inline]
    pub(crate) fn are_new(&self) -> bool {
        self.are_new
    }

    /// Notes whether an add was of a new key.
    #[inline]
    pub(crate) fn set_new(&mut self, new: bool) {
        self.are_new = new;
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Adds a key. Returns the number of keys that wait.
    #[inline]
    pub(crate) fn push(&mut self, arrival: Arrival<K>) -> usize {
        self.keys.push(arrival);
        self.keys.len()
    }

    /// Returns the next keys, at most `max`.
    #[inline]
    pub(crate) fn upcoming(&self, max: usize) -> &[Arrival<K>] {
        let following = &self.keys[self.next..];
        &following[..following.len().min(max)]
    }

    /// Returns the next key.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<&mut Arrival<K>> {
        let next = self.keys.get_mut(self.next)?;
        self.next += 1;
        Some(next)
    }

    /// Ends the receipt of all keys. Returns those that the state did not take; the caller drops them outside the lock.
    pub(crate) fn finish(&mut self) -> Vec<Arrival<K>> {
        self.next = 0;
        self.are_new = self.keys.iter().all(|arrival| arrival.key.is_none());
        if !self.are_new {
            return std::mem::take(&mut self.keys);
        }
        self.keys.clear();
        self.keys.shrink_to(Intake::<K>::MANY);
        Vec::new()
    }
}

impl<K> Intake<K> {
    /// The keys that a producer receives itself: about two microseconds of work.
    const MANY: usize = 64;
    /// The keys at which a producer waits for the state.
    const TOO_MANY: usize = 1024;
    /// The pauses for which a worker waits for an add.
    const WATCH: u32 = if cfg!(all(test, trimtab_loom)) { 1 } else { 64 };
    /// The pauses after which a thread tries again to lock the inbox, which is locked for some nanoseconds only.
    const PAUSES: u32 = 8;

    pub(crate) fn new() -> Self {
        Self {
            inbox: Mutex::new(Inbox { keys: Vec::new(), closed: false }),
            len: AtomicUsize::new(0),
            attended: AtomicBool::new(false),
            contended: AtomicBool::new(false),
        }
    }

    /// Returns whether there are no keys. A caller that has locked the state sees every add that had returned before.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }

    /// Returns whether a worker sleeps. Only a hint: [`push`](Self::push) decides.
    #[inline]
    pub(crate) fn is_attended(&self) -> bool {
        self.attended.load(Ordering::Relaxed)
    }

    /// Returns whether an add was about to wait for another thread, and no add found since that no thread receives.
    #[inline]
    pub(crate) fn is_contended(&self) -> bool {
        self.contended.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set_contended(&self, contended: bool) {
        if self.is_contended() != contended {
            self.contended.store(contended, Ordering::Relaxed);
        }
    }

    /// Waits about two microseconds for an add. Returns whether there is one; if not, the producers are not busy.
    #[cold]
    pub(crate) fn watch(&self) -> bool {
        for _ in 0..Self::WATCH {
            if !self.is_empty() {
                return true;
            }
            spin_loop();
        }
        self.set_contended(false);
        false
    }

    /// Adds a key.
    #[inline]
    pub(crate) fn push(&self, arrival: Arrival<K>) -> Pushed<K> {
        let mut inbox = self.inbox.lock_after(Self::PAUSES);
        if inbox.closed {
            return Pushed::Refused(arrival); // H3
        }
        inbox.keys.push(arrival);
        let len = inbox.keys.len();
        self.len.store(len, Ordering::Release);
        if len >= Self::TOO_MANY || self.attended.load(Ordering::Relaxed) {
            Pushed::Urgent // H2
        } else if len.is_multiple_of(Self::MANY) {
            Pushed::Many
        } else {
            Pushed::Left
        }
    }

    /// Moves all keys to `received`. The caller has locked the state.
    pub(crate) fn take(&self, received: &mut Received<K>) {
        let mut inbox = self.inbox.lock_after(Self::PAUSES);
        if received.keys.is_empty() {
            std::mem::swap(&mut inbox.keys, &mut received.keys);
        } else {
            received.keys.append(&mut inbox.keys);
        }
        self.len.store(0, Ordering::Release);
    }

    /// Notes that a worker is about to sleep. Returns false if there are keys that it has to receive first.
    pub(crate) fn attend(&self) -> bool {
        let inbox = self.inbox.lock();
        let empty = inbox.keys.is_empty();
        if empty {
            self.attended.store(true, Ordering::Relaxed);
        }
        empty
    }

    /// Notes that no worker sleeps.
    pub(crate) fn stop_attending(&self) {
        let _inbox = self.inbox.lock();
        self.attended.store(false, Ordering::Relaxed);
    }

    /// Refuses all keys from now on. The caller has locked the state and then receives the keys that are left.
    pub(crate) fn close(&self) {
        self.inbox.lock().closed = true;
    }
}
