//! Selectors in serialized data.
#![cfg(feature = "serde")]

use trimtab_selector::{FieldSelector, Selector};

#[test]
fn selectors_are_strings_in_serialized_data() {
    let selector: Selector = serde_json::from_str(r#""b in (y,x),a""#).unwrap();
    assert_eq!(serde_json::to_string(&selector).unwrap(), r#""a,b in (x,y)""#);
    let nothing = serde_json::to_string(&Selector::nothing()).unwrap();
    assert!(serde_json::from_str::<Selector>(&nothing).unwrap().is_nothing());
    let error = serde_json::from_str::<Selector>(r#""a b""#).unwrap_err();
    assert!(error.to_string().starts_with("invalid label selector \"a b\" at byte 2"), "{error}");

    let selector: FieldSelector = serde_json::from_str(r#""b!=x,a==\\,""#).unwrap();
    assert_eq!(serde_json::to_string(&selector).unwrap(), r#""a=\\,,b!=x""#);
    serde_json::from_str::<FieldSelector>(r#""a""#).unwrap_err();
}
