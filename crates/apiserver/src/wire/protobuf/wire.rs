//! The encoding itself: numbered fields, each with a value in one of four forms.

use super::error::{Result, malformed};

/// A value as it stands in a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Raw<'a> {
    /// The bytes of a string, of a message or of bytes.
    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => malformed(format!("proto: wrong wireType in {other:?}")),
        }
    }

    /// A string.
    pub(super) fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).or_else(|error| malformed(format!("proto: {error}")))
    }

    /// A whole number. Negative ones of any width are sign-extended to 64 bits.
    pub(super) fn integer(self) -> Result<i64> {
        match self {
            Self::Varint(number) => Ok(number.cast_signed()),
            other => malformed(format!("proto: wrong wireType in {other:?}")),
        }
    }

    /// A floating-point number.
    pub(super) fn double(self) -> Result<f64> {
        match self {
            Self::Fixed64(bytes) => Ok(f64::from_le_bytes(bytes)),
            other => malformed(format!("proto: wrong wireType in {other:?}")),
        }
    }
}

/// The fields of a message, in the order in which they stand there.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<(u32, Raw<'a>)> {
        let tag = varint(&mut self.rest)?;
        let Ok(number @ 1..) = u32::try_from(tag >> 3) else {
            return malformed("proto: illegal tag");
        };
        let value = match tag & 7 {
            0 => Raw::Varint(varint(&mut self.rest)?),
            1 => Raw::Fixed64(array(&mut self.rest)?),
            2 => {
                let length = varint(&mut self.rest)?;
                Raw::Bytes(take(&mut self.rest, usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => Raw::Fixed32(array(&mut self.rest)?),
            wire_type => return malformed(format!("proto: illegal wireType {wire_type}")),
        };
        Ok((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Raw<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[]; // what follows means nothing
        }
        Some(field)
    }
}

/// A number in groups of seven bits, the lowest first.
pub(super) fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = array(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    malformed("proto: integer overflow")
}

fn array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    take(rest, N).map(|bytes| bytes.try_into().expect("as many as were taken"))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    match rest.split_at_checked(length) {
        Some((taken, left)) => {
            *rest = left;
            Ok(taken)
        }
        None => malformed("unexpected EOF"),
    }
}
