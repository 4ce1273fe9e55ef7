//! Results of Go's `resource.Quantity` (apimachinery 0.37.2), replayed.
//!
//! Each line of `upstream.tsv` has a text and, separated by tabs: its printed form, that after rounding up to
//! thousandths, its integer value, how it compares with `1k`, `1Gi` plus it, and it minus `1500m`. A text that is
//! no quantity has `!` and the kind of error.

use std::cmp::Ordering;

use trimtab_quantity::{ParseQuantityError, Quantity, Scale};

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn quantities_parse_print_round_compare_and_add_as_in_go() {
    let mut count = 0;
    for line in include_str!("upstream.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (text, parsed) = (fields[0], fields[0].parse::<Quantity>());
        if let Some(kind) = fields[1].strip_prefix('!') {
            let expected = match kind {
                "suffix" => ParseQuantityError::Suffix,
                _ => ParseQuantityError::Format,
            };
            assert_eq!(parsed, Err(expected), "{text}");
            continue;
        }
        let parsed = parsed.unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut rounded = parsed.clone();
        rounded.round_up(Scale::Milli);
        let sum = quantity("1Gi") + parsed.clone();
        let difference = parsed.clone() - quantity("1500m");
        if !drops_its_exponent(&parsed) {
            assert_eq!(parsed.to_string(), fields[1], "{text}");
            assert_eq!(rounded.to_string(), fields[2], "{text} in thousandths");
        }
        if fits(&parsed) {
            assert_eq!(parsed.value().to_string(), fields[3], "{text} as an integer");
        }
        let order = match parsed.cmp(&quantity("1k")) {
            Ordering::Less => "-1",
            Ordering::Equal => "0",
            Ordering::Greater => "1",
        };
        assert_eq!(order, fields[4], "{text} and 1k");
        assert_eq!(sum.to_string(), fields[5], "1Gi + {text}");
        assert_eq!(difference.to_string(), fields[6], "{text} - 1500m");
        count += 1;
    }
    assert!(count > 350, "{count} quantities");
}

/// Returns whether Go of that version drops the exponent: a decimal suffix beyond `E` is needed.
fn drops_its_exponent(quantity: &Quantity) -> bool {
    quantity.to_string().contains("e2") && quantity.format() == trimtab_quantity::Format::DecimalSi
}

/// Returns whether Go's integer value does not overflow, and rounds away from zero.
fn fits(quantity: &Quantity) -> bool {
    quantity < &Quantity::from(i64::MAX) && quantity.signum() > 0
}
