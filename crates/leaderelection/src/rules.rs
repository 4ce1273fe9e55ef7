//! [`Rule`]: the rules that keep an election safe. A test takes one away to see what it guards against.

/// A rule that keeps an election safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "test-util"),
    expect(unreachable_pub, reason = "public for the tests of an election alone")
)]
pub enum Rule {
    /// A Lease expires by the time since this candidate saw it change, not by its `renewTime` and a wall clock.
    LocallyObservedTime,
    /// The end of a token counts from before its renewal was sent, not from the response.
    DeadlineBeforeSend,
    /// The Lease is released after the led work has ended, not before.
    JoinBeforeRelease,
}

/// The rules that an election keeps: all of them, except in a test.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    without: Option<Rule>,
}

impl Rules {
    #[cfg(feature = "test-util")]
    pub(crate) fn without(rule: Rule) -> Self {
        Self { without: Some(rule) }
    }

    pub(crate) fn keep(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}
