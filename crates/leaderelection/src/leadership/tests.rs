//! Races between a reader of a token and a renewal, step by step.

use parking_lot::Mutex;

use super::*;
use crate::clock::Clock;

type Once = Box<dyn FnOnce() + Send>;

/// A clock that is set by hand, and lets something happen while it is being read.
#[derive(Clone, Default)]
struct Steps {
    now: Arc<AtomicU64>,
    during: Arc<Mutex<Option<Once>>>,
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps")
    }
}

impl Clock for Steps {
    fn now(&self) -> Duration {
        let during = self.during.lock().take();
        if let Some(happens) = during {
            happens();
        }
        Duration::from_nanos(self.now.load(SeqCst))
    }
}

impl Steps {
    fn set(&self, now: u64) {
        self.now.store(now, SeqCst);
    }
}

fn term(clock: &Steps) -> Arc<Term> {
    let facts = Facts {
        lease: "default/web".into(),
        identity: "a".into(),
        number: 0,
        grace_period: Duration::ZERO,
        inherited: BTreeMap::new(),
    };
    let timer = Timer::new(Arc::new(clock.clone()));
    Arc::new(Term::new(Moment(10), timer, facts, Arc::new(Tasks::default())))
}

/// Guarantee 3: a reader has loaded the old end, and a renewal is noted before it reads the clock. The line
/// that it guards: the `compare_exchange` of `is_valid`.
#[test]
fn a_reader_that_races_with_a_renewal_does_not_find_an_end_that_was_moved_on() {
    let clock = Steps::default();
    let term = term(&clock);
    let token = term.token();
    clock.set(9);
    let (renewed, time) = (term.clone(), clock.clone());
    *clock.during.lock() = Some(Box::new(move || {
        assert!(renewed.extend(Moment(20)));
        time.set(10);
    }));
    assert!(token.is_valid(), "else it would become valid again");
    clock.set(20);
    assert!(!token.is_valid());
}

/// Guarantee 3: a renewal has read the clock, and a reader finds the token invalid before the new end is
/// stored. The line that it guards: the `compare_exchange` of `extend`.
#[test]
fn a_renewal_that_races_with_a_reader_does_not_move_an_end_that_was_found() {
    let clock = Steps::default();
    let term = term(&clock);
    let token = term.token();
    clock.set(9);
    let (reader, time) = (token.clone(), clock.clone());
    *clock.during.lock() = Some(Box::new(move || {
        time.set(10);
        assert!(!reader.is_valid());
        time.set(9); // the renewal goes on with the time that it has read
    }));
    assert!(!term.extend(Moment(20)));
    assert!(!token.is_valid());
}

#[test]
fn an_end_is_never_moved_back_nor_after_it_has_passed() {
    let clock = Steps::default();
    let term = term(&clock);
    assert!(term.extend(Moment(5)));
    assert_eq!(term.valid_until(), Moment(10));
    clock.set(10);
    assert!(!term.extend(Moment(20)), "though nobody has seen it");
    assert!(!term.token().is_valid());
}
