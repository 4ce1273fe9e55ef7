//! [`ParseQuantityError`]: the reason for which a text is not a quantity, with Go's messages.

/// A text is not a quantity. The message is that of Go's `ParseQuantity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseQuantityError {
    /// The text does not have the form of a number with a suffix (`ErrFormatWrong`).
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// The number is too long (`ErrNumeric`).
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// The suffix is unknown, or its exponent is out of range (`ErrSuffix`).
    #[error("unable to parse quantity's suffix")]
    Suffix,
}
