//! [`Leadership`]: the token that led work acts on, and the [`Term`] that ends it.

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// The right to act as the leader, until a moment on the local monotonic clock.
///
/// The end is moved on with each renewal, to the renew deadline after the moment *before* the renewal
/// was sent. Others wait for the whole lease duration, which is longer, after the moment that they
/// learned of it, which is later. So while [`is_valid`](Self::is_valid) says `true`, nobody else can
/// have taken the lease, whatever any clock shows; and once it has said `false` it never says `true`
/// again. Nothing needs to run for the token to end: a process that was frozen finds it invalid.
///
/// Clones are the same token; a task that outlives the led work holds an invalid one.
#[derive(Debug, Clone)]
pub struct Leadership {
    status: watch::Receiver<Status>,
}

#[derive(Debug, Clone, Copy)]
struct Status {
    valid_until: Instant,
    /// The led work should wind up, though the lease may still be renewed for it.
    ending: bool,
}

impl Leadership {
    /// Whether this process may act as the leader at this moment.
    ///
    /// It stays `true` while led work winds up after a shutdown, since the lease is renewed meanwhile.
    pub fn is_valid(&self) -> bool {
        Instant::now() < self.valid_until()
    }

    /// Until when this process may act as the leader, if no renewal succeeds from now on.
    ///
    /// Whoever starts something that must not run into another leader's term checks that it can be
    /// over by then.
    pub fn valid_until(&self) -> Instant {
        self.status.borrow().valid_until
    }

    /// Waits until the led work has to wind up: the lease is lost, or a shutdown was asked for.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, nothing is lost: another call waits for the same.
    pub async fn lost(&self) {
        let mut status = self.status.clone();
        loop {
            let Status { valid_until, ending } = *status.borrow_and_update();
            if ending || Instant::now() >= valid_until {
                return;
            }
            tokio::select! {
                () = sleep_until(valid_until) => {} // perhaps it was moved on
                changed = status.changed() => if changed.is_err() {
                    return; // the term is over
                },
            }
        }
    }
}

/// One term of leadership, from the elector's side. Dropping it ends every token.
#[derive(Debug)]
pub(crate) struct Term {
    status: watch::Sender<Status>,
}

impl Term {
    /// A term that lasts until `valid_until`, if it is not extended.
    pub(crate) fn new(valid_until: Instant) -> Self {
        Self { status: watch::Sender::new(Status { valid_until, ending: false }) }
    }

    pub(crate) fn token(&self) -> Leadership {
        Leadership { status: self.status.subscribe() }
    }

    pub(crate) fn valid_until(&self) -> Instant {
        self.status.borrow().valid_until
    }

    /// Moves the end on. `false` if the term is over already: an end that anybody may have seen is final.
    #[must_use]
    pub(crate) fn extend(&self, valid_until: Instant) -> bool {
        self.status.send_if_modified(|status| {
            let lasts = Instant::now() < status.valid_until;
            if lasts {
                status.valid_until = status.valid_until.max(valid_until);
            }
            lasts
        })
    }

    /// Asks the led work to wind up, with the token still valid.
    pub(crate) fn ask_to_end(&self) {
        self.status.send_modify(|status| status.ending = true);
    }

    /// Makes every token invalid.
    pub(crate) fn revoke(&self) {
        self.status.send_modify(|status| {
            status.ending = true;
            status.valid_until = status.valid_until.min(Instant::now());
        });
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.revoke();
    }
}
