//! [`LocalClock`]: how a process's clocks relate to the world's time.

/// A clock that may run fast, slow, or have stood still for a while. All times are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalClock {
    /// The world's time from which on the clock runs at `rate`.
    world: u64,
    /// What it showed then.
    local: u64,
    /// How many local milliseconds pass in a thousand of the world's.
    rate: u64,
}

impl LocalClock {
    /// A clock that starts from 0 at `world` and runs as the world's does.
    pub(crate) fn starting_at(world: u64) -> Self {
        Self { world, local: 0, rate: 1000 }
    }

    /// What it shows at `world`.
    pub(crate) fn at(&self, world: u64) -> u64 {
        self.local + world.saturating_sub(self.world) * self.rate / 1000
    }

    /// The earliest time of the world at which it shows `local`.
    pub(crate) fn world_at(&self, local: u64) -> u64 {
        self.world + (local.saturating_sub(self.local) * 1000).div_ceil(self.rate)
    }

    /// From `world` on, runs at `rate`.
    pub(crate) fn drift(&mut self, world: u64, rate: u64) {
        *self = Self { world, local: self.at(world), rate: rate.max(1) };
    }

    /// It has stood still at `local` until `world`.
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
