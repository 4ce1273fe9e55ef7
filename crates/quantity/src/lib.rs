//! Kubernetes resource quantities, such as `500m` and `1Gi`: parsed, compared, added, rounded and printed as
//! `resource.Quantity` in Go does.
//!
//! ```
//! use trimtab_quantity::{Quantity, Scale};
//!
//! fn main() -> Result<(), trimtab_quantity::ParseQuantityError> {
//!     let limit: Quantity = "1.5Gi".parse()?;
//!     assert_eq!(limit.to_string(), "1536Mi"); // the canonical form
//!     assert_eq!(limit.value(), 1_610_612_736);
//!
//!     let requested = "1Gi".parse::<Quantity>()? + "256Mi".parse::<Quantity>()?;
//!     assert!(requested < limit);
//!
//!     let mut cpu: Quantity = "0.0005".parse()?;
//!     assert_eq!(cpu.to_string(), "500u");
//!     cpu.round_up(Scale::Milli); // as the API server does with the resources of a container
//!     assert_eq!(cpu.to_string(), "1m");
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! 1. A text is a quantity here if and only if Go's `ParseQuantity` accepts it, within the limits below.
//! 2. The printed form is Go's: the canonical form, or the text itself where Go keeps the text.
//! 3. No operation rounds, overflows or panics, unless its documentation says so.
//! 4. Two quantities are equal if their amounts are, whatever their formats: `1000m` equals `1`.
//!
//! # Differences from Go
//!
//! - A text of more than 4,096 bytes and an exponent beyond ±10,000 are errors. Go computes with them, for
//!   seconds or until memory runs out.
//! - An exponent that does not fit into 32 bits is an error. Go takes its lower 32 bits.
//! - `1000E` prints as `1e21`. Versions of apimachinery up to 0.37 drop the exponent and print `1`.
//! - [`Quantity::value`] and its siblings saturate where Go's overflow, and round away from zero in every case;
//!   Go rounds negative amounts of more than 18 digits towards zero.
//!
//! # Features
//!
//! - `serde`: [`Quantity`] is read from a JSON string or number, and written as a string.

mod decimal;
mod error;
mod format;
mod parse;
mod quantity;
#[cfg(feature = "serde")]
mod serde_impl;

pub use self::{
    error::ParseQuantityError,
    format::Format,
    parse::is_canonical,
    quantity::{Quantity, Scale},
};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
