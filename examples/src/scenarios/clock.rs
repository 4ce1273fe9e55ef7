//! [`BootTime`]: the clock of leader elections in simulated processes.

use std::time::Duration;

use trimtab_controller::leaderelection::Clock;
use trimtab_simulation::Process;

/// The boot-time clock of a simulated machine.
#[derive(Debug)]
pub(super) struct BootTime(pub(super) Process);

impl Clock for BootTime {
    fn now(&self) -> Duration {
        self.0.boot_time()
    }
}
