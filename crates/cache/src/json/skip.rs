//! Finds the end of a value, without recursion and without looking at the values within it.

use super::marks::{BLOCK, LANE, Marks, commas, special};

/// Returns the position after the object or array that begins at `start`; `None` if the text ends within it.
pub(super) fn end_of_container(text: &[u8], start: usize) -> Option<usize> {
    let mut scan = Scan { in_string: 0, escaped: 0, depth: 0 };
    let mut from = start;
    loop {
        let rest = text.get(from..)?;
        let Some(block) = rest.first_chunk() else {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            return Some(from + scan.block(&block)?);
        };
        if let Some(end) = scan.block(block) {
            return Some(from + end);
        }
        from += BLOCK;
    }
}

/// Returns the number of elements of the array whose opening bracket is before `start`; `None` if the text ends within it.
///
/// For an array that is not JSON the number may be wrong.
pub(super) fn elements(text: &[u8], start: usize) -> Option<usize> {
    let first = text.get(start..)?.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *first == b']' {
        return Some(0);
    }
    let mut scan = Scan { in_string: 0, escaped: 0, depth: 1 };
    let (mut commas, mut from) = (0, start);
    loop {
        let rest = text.get(from..)?;
        let Some(block) = rest.first_chunk() else {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            return scan.commas(&block, &mut commas).then_some(commas + 1);
        };
        if scan.commas(block, &mut commas) {
            return Some(commas + 1);
        }
        from += BLOCK;
    }
}

/// The state of a scan between two blocks.
struct Scan {
    /// All ones if the block begins within a string, otherwise zero.
    in_string: u64,
    /// 1 if the first byte of the next block is escaped.
    escaped: u64,
    /// The number of open brackets.
    depth: u32,
}

impl Scan {
    /// Returns the position after the bracket that closes the first one, if it is in this block.
    #[inline]
    fn block(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        let marks = Marks::of(block);
        let strings = self.strings(&marks);
        let (opens, closes) = (marks.opens & !strings, marks.closes & !strings);
        let closed = closes.count_ones();
        if closed >= self.depth
            && let Some(end) = self.last(opens, closes)
        {
            return Some(end);
        }
        self.depth = self.depth + opens.count_ones() - closed;
        None
    }

    /// Adds the number of commas between the elements of the outermost array. Returns whether the array ends in this block.
    fn commas(&mut self, block: &[u8; BLOCK], count: &mut usize) -> bool {
        let marks = Marks::of(block);
        let outside = !self.strings(&marks);
        let (commas, mut brackets) = (commas(block) & outside, (marks.opens | marks.closes) & outside);
        let mut seen = 0; // the bytes up to the last bracket
        while brackets != 0 {
            let bracket = brackets & brackets.wrapping_neg();
            if self.depth == 1 {
                *count += (commas & (bracket - 1) & !seen).count_ones() as usize;
            }
            seen = bracket | (bracket - 1);
            brackets &= !bracket;
            if marks.opens & bracket != 0 {
                self.depth += 1;
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return true;
                }
            }
        }
        if self.depth == 1 {
            *count += (commas & !seen).count_ones() as usize;
        }
        false
    }

    /// Returns the bytes within strings, with the opening quotes.
    #[inline]
    fn strings(&mut self, marks: &Marks) -> u64 {
        let quotes = marks.quotes & !self.escaped_by(marks.backslashes);
        let strings = odd_up_to(quotes) ^ self.in_string;
        self.in_string = if strings >> 63 == 1 { u64::MAX } else { 0 };
        strings
    }

    /// Returns the position after the first closing bracket at which the number of closed brackets equals that of
    /// opened ones.
    fn last(&self, opens: u64, mut closes: u64) -> Option<usize> {
        let mut closed = 0;
        while closes != 0 {
            let at = closes.trailing_zeros();
            closed += 1;
            if self.depth + (opens & ((1 << at) - 1)).count_ones() == closed {
                return Some(at as usize + 1);
            }
            closes &= closes - 1;
        }
        None
    }

    /// Returns the bytes after a backslash that is not escaped itself: in a row of backslashes, every second one.
    #[inline]
    fn escaped_by(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let behind = backslashes << 1 | self.escaped;
        // Adding the first bit of a row to the row carries through it and sets the bit after it. For rows that begin
        // at an odd position, odd and even change roles.
        let odd_rows = backslashes & !EVEN & !behind;
        let (ran_out, beyond) = odd_rows.overflowing_add(backslashes);
        self.escaped = u64::from(beyond);
        (EVEN ^ (ran_out << 1)) & behind
    }
}

/// For each bit, whether the number of bits set up to and including it is odd.
#[inline]
fn odd_up_to(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// A byte of a string that cannot be taken as it is.
pub(super) enum Obstacle {
    /// The closing quote.
    Quote,
    Backslash,
    /// A control character, which JSON allows only escaped.
    Control,
}

/// Returns the position and kind of the first obstacle at or after `from`; `None` if there is none.
#[inline]
pub(super) fn obstacle(text: &[u8], mut from: usize) -> Option<(usize, Obstacle)> {
    loop {
        let rest = text.get(from..)?;
        let lane = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut lane = [b'"'; LANE]; // padding after the text's end, ignored below
            lane[..rest.len()].copy_from_slice(rest);
            lane
        });
        let found = special(lane);
        if found == 0 {
            from += LANE;
            continue;
        }
        let at = from + found.trailing_zeros() as usize;
        let obstacle = match text.get(at)? {
            b'"' => Obstacle::Quote,
            b'\\' => Obstacle::Backslash,
            _ => Obstacle::Control,
        };
        return Some((at, obstacle));
    }
}
