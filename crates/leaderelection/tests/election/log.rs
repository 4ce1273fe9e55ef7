//! The warnings of a test.

use tracing::{Level, subscriber::DefaultGuard};
use trimtab_test_support::log::Log;

/// Collects the warnings and errors that this crate logs in this thread, each with its cause.
pub(crate) fn capture() -> (Log, DefaultGuard) {
    Log::capture(
        |metadata| {
            *metadata.level() <= Level::WARN && metadata.target().starts_with("trimtab_leaderelection")
        },
        |line, field, value| match field {
            "message" => line.insert_str(0, &format!("{value:?}")),
            "error" => line.push_str(&format!(": {value:?}")),
            _ => {}
        },
    )
}
