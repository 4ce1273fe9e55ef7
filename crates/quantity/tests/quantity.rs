//! Guarantees beyond Go's behaviour.

use proptest::prelude::*;
use trimtab_quantity::{Format, ParseQuantityError, Quantity, Scale, is_canonical};

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn canonical_looks_mean_that_the_text_is_printed_as_it_is() {
    for text in ["1", "999", "100n", "100m", "250Mi", "1Gi", "12E", "7k"] {
        assert!(is_canonical(text), "{text}");
        assert_eq!(quantity(text).to_string(), text);
    }
    for text in ["", "0", "01", "1000", "1.5", "-1", "Mi", "1e3", "1MiB", "1 Gi"] {
        assert!(!is_canonical(text), "{text}");
    }
}

#[test]
fn an_exponent_beyond_e_stays_in_the_printed_form() {
    assert_eq!(quantity("1000E").to_string(), "1e21");
}

#[test]
fn texts_and_exponents_that_would_take_seconds_are_errors() {
    assert_eq!("9".repeat(5000).parse::<Quantity>(), Err(ParseQuantityError::Numeric));
    assert_eq!("1e999999999".parse::<Quantity>(), Err(ParseQuantityError::Suffix));
    assert_eq!("1e-99999".parse::<Quantity>(), Err(ParseQuantityError::Suffix));
    assert_eq!(quantity(&"9".repeat(4096)).to_string().len(), 4096);
    assert_eq!(quantity("1e-9999").to_string(), "1e-9");
}

#[test]
fn integers_saturate_at_the_ends_of_their_range() {
    assert_eq!(quantity("1e30").value(), i64::MAX);
    assert_eq!(quantity("-1e30").milli_value(), i64::MIN);
    assert_eq!(quantity("-1.5").value(), -2);
    assert_eq!(quantity("1.5").to_i64(), None);
    assert_eq!(quantity("1500m").scaled_value(Scale::Micro), 1_500_000);
}

#[test]
fn a_sum_with_zero_takes_the_format_of_the_other() {
    assert_eq!((Quantity::default() + quantity("2Gi")).format(), Format::BinarySi);
    assert_eq!((quantity("1Gi") + quantity("1")).to_string(), "1073741825");
}

#[test]
fn equal_amounts_are_equal_and_hash_alike() {
    let one = std::collections::HashSet::from([quantity("1000m")]);
    assert!(one.contains(&quantity("1")) && one.contains(&quantity("1e0")) && !one.contains(&quantity("1k")));
}

#[cfg(feature = "serde")]
#[test]
fn json_holds_strings_and_numbers_are_read() {
    for (json, text) in [("\" 1.5Gi \"", "1536Mi"), ("2", "2"), ("0.25", "250m"), ("-3", "-3"), ("null", "0")]
    {
        let read: Quantity = serde_json::from_str(json).expect("a quantity");
        assert_eq!(serde_json::to_string(&read).expect("a string"), format!("\"{text}\""));
    }
    let error = serde_json::from_str::<Quantity>("\"1 Gi\"").expect_err("no quantity").to_string();
    assert!(error.starts_with("quantities must match the regular expression"), "{error}");
    let error = serde_json::from_str::<Quantity>("{}").expect_err("no quantity").to_string();
    assert!(error.contains("expected a quantity"), "{error}");
}

proptest! {
    #[test]
    fn no_text_panics_and_the_canonical_form_is_stable(text in "[-+]?[0-9.]{0,30}[eEinumkKMGTP]{0,3}[-+]?[0-9]{0,5}") {
        if let Ok(parsed) = text.parse::<Quantity>() {
            let printed = parsed.to_string_in(parsed.format());
            let again = quantity(&printed);
            prop_assert_eq!(&again, &parsed);
            prop_assert_eq!(again.to_string_in(parsed.format()), printed);
        }
    }

    #[test]
    fn adding_and_subtracting_give_the_same_amount(one in "[0-9]{1,9}(\\.[0-9]{1,6})?(m|k|Mi|e3)?", other in "-?[0-9]{1,25}(u|Gi)?") {
        let (one, other) = (quantity(&one), quantity(&other));
        prop_assert_eq!(one.clone() + other.clone() - other, one);
    }
}
