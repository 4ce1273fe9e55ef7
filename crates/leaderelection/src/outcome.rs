//! [`Outcome`]: the way in which a term ended.

/// The way in which a term of leadership ended, and the output of the led work, if it returned.
///
/// The output is `None` if the led work had not returned in time and was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an unfinished term means that the process must exit"]
#[non_exhaustive]
pub enum Outcome<T> {
    /// The shutdown came before this candidate ever led.
    NeverLed,
    /// The led work returned by itself.
    Finished(T),
    /// The shutdown came while this candidate led.
    ShutDown(Option<T>),
    /// The Lease could not be renewed in time, or has another holder, or, in a coordinated election,
    /// is to get another one.
    Lost(Option<T>),
    /// Tasks of the led work did not end, since they block their threads. The Lease was not released.
    ///
    /// Only the end of the process ends such a task, so the process must exit.
    Unfinished {
        /// The output of the led work, if its future returned.
        output: Option<T>,
        /// The names of the tasks.
        tasks: Vec<String>,
    },
}

impl<T> Outcome<T> {
    /// Returns the output of the led work; `None` if there was none, or if it was dropped.
    pub fn into_output(self) -> Option<T> {
        match self {
            Self::NeverLed => None,
            Self::Finished(output) => Some(output),
            Self::ShutDown(output) | Self::Lost(output) | Self::Unfinished { output, .. } => output,
        }
    }

    /// Returns whether led work is running that only the end of the process can end.
    pub fn must_exit(&self) -> bool {
        matches!(self, Self::Unfinished { .. })
    }
}
