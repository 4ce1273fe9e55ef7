//! [`Marks`]: bit masks of the bytes with a meaning in JSON. Sixteen bytes are compared at once, through a crate with
//! a safe interface to each processor's vector instructions.

use wide::u8x16;

/// The number of bytes in a block, one per bit of a mask.
pub(super) const BLOCK: usize = 64;
/// The number of bytes that are compared at once.
pub(super) const LANE: usize = 16;

/// Masks of a block's structural bytes. Bytes within strings have no meaning, but are marked as well.
pub(super) struct Marks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`
    pub(super) opens: u64,
    /// `}` and `]`
    pub(super) closes: u64,
}

impl Marks {
    #[inline]
    pub(super) fn of(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self { quotes: 0, backslashes: 0, opens: 0, closes: 0 };
        for (number, lane) in block.as_chunks::<LANE>().0.iter().enumerate() {
            let lane = u8x16::from(*lane);
            let brackets = lane | u8x16::splat(b'{' ^ b'['); // one bit tells these apart, and the same one `}` from `]`
            let at = number * LANE;
            marks.quotes |= equal(lane, b'"') << at;
            marks.backslashes |= equal(lane, b'\\') << at;
            marks.opens |= equal(brackets, b'{') << at;
            marks.closes |= equal(brackets, b'}') << at;
        }
        marks
    }
}

/// Mask of a block's commas, those within strings included.
#[inline]
pub(super) fn commas(block: &[u8; BLOCK]) -> u64 {
    let lanes = block.as_chunks::<LANE>().0.iter().enumerate();
    lanes.fold(0, |mask, (number, lane)| mask | equal(u8x16::from(*lane), b',') << (number * LANE))
}

/// Mask of the bytes in a lane of a string that end it or need work: quotes, backslashes and control characters.
#[inline]
pub(super) fn special(lane: [u8; LANE]) -> u64 {
    let lane = u8x16::from(lane);
    let control = lane.min(u8x16::splat(0x1f)).simd_eq(lane);
    u64::from(control.to_bitmask()) | equal(lane, b'"') | equal(lane, b'\\')
}

#[inline]
fn equal(lane: u8x16, byte: u8) -> u64 {
    u64::from(lane.simd_eq(u8x16::splat(byte)).to_bitmask())
}
