//! Chances that repeat under a seed, whatever else was drawn: a function of what is decided, with no state.

/// A number that looks like any other, the same for the same arguments (the last step of `SplitMix64`).
pub(crate) fn mix(seed: u64, one: u64, other: u64) -> u64 {
    let step = |state: u64, number: u64| {
        let mut mixed = state.wrapping_add(number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    step(step(step(0, seed), one), other)
}

/// Decides by chance, with the probability `probability`.
pub(crate) fn is_drawn(probability: f64, seed: u64, one: u64, other: u64) -> bool {
    // The upper 53 bits: as many as a float holds, from 0 to less than 1.
    ((mix(seed, one, other) >> 11) as f64) < probability * (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_repeat_and_come_as_often_as_they_should() {
        let drawn = |seed, probability| (0..10_000).filter(|n| is_drawn(probability, seed, 1, *n)).count();
        assert_eq!(drawn(7, 0.3), drawn(7, 0.3));
        assert!((2800..3200).contains(&drawn(7, 0.3)), "{}", drawn(7, 0.3));
        assert_eq!((drawn(7, 0.0), drawn(7, 1.0)), (0, 10_000));
        assert_ne!(mix(1, 2, 3), mix(2, 1, 3));
    }
}
