//! [`Outcome`]: how a term ended.

/// How a term of leadership ended, and what the led work returned, if it did.
///
/// Work that had not returned in time was dropped: `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// A shutdown was asked for before this candidate ever led.
    NeverLed,
    /// The led work returned of its own accord.
    Finished(T),
    /// A shutdown was asked for while this candidate led.
    ShutDown(Option<T>),
    /// The lease could not be renewed in time, another candidate has it, or, in a coordinated election,
    /// is to have it.
    Lost(Option<T>),
}

impl<T> Outcome<T> {
    /// What the led work returned; `None` if there was none, or if it was dropped.
    pub fn into_output(self) -> Option<T> {
        match self {
            Self::NeverLed => None,
            Self::Finished(output) => Some(output),
            Self::ShutDown(output) | Self::Lost(output) => output,
        }
    }
}
