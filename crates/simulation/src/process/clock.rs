//! [`LocalClock`]: a process's clock in relation to the simulated time.

/// A clock that runs fast or slow, or was stopped for a while. All times are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalClock {
    /// The simulated time from which the clock runs at `rate`.
    world: u64,
    /// The clock's time at that moment.
    local: u64,
    /// The local milliseconds in a thousand simulated ones.
    rate: u64,
}

impl LocalClock {
    /// Creates a clock that starts from 0 at the simulated time `world`, at normal speed.
    pub(crate) fn starting_at(world: u64) -> Self {
        Self { world, local: 0, rate: 1000 }
    }

    /// Returns the local time at `world`.
    pub(crate) fn at(&self, world: u64) -> u64 {
        self.local + world.saturating_sub(self.world) * self.rate / 1000
    }

    /// Returns the earliest simulated time at which the clock reaches `local`.
    pub(crate) fn world_at(&self, local: u64) -> u64 {
        self.world + (local.saturating_sub(self.local) * 1000).div_ceil(self.rate)
    }

    /// Sets the rate from `world` on.
    pub(crate) fn drift(&mut self, world: u64, rate: u64) {
        *self = Self { world, local: self.at(world), rate: rate.max(1) };
    }

    /// Resumes the clock at `world`, after it was stopped at `local`.
    pub(crate) fn stood_still(&mut self, local: u64, world: u64) {
        *self = Self { world, local, rate: self.rate };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_and_its_inverse_agree() {
        let mut clock = LocalClock::starting_at(1000);
        assert_eq!((clock.at(1500), clock.world_at(500)), (500, 1500));
        clock.drift(2000, 1500);
        assert_eq!((clock.at(2000), clock.at(2100)), (1000, 1150));
        for local in 1000..1200 {
            assert!(clock.at(clock.world_at(local)) >= local);
            assert!(clock.at(clock.world_at(local) - 1) < local || local == 1000);
        }
    }

    #[test]
    fn a_suspended_clock_goes_on_where_it_stood() {
        let mut clock = LocalClock::starting_at(0);
        clock.stood_still(300, 9000);
        assert_eq!((clock.at(9000), clock.at(9100)), (300, 400));
    }
}
