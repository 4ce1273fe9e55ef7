//! Selectors in serialized data: strings, in their text form.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{FieldSelector, Selector};

macro_rules! as_text {
    ($($selector:ident)*) => {
        $(
            /// As a string, in the text form.
            impl Serialize for $selector {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            /// From a string in the text form.
            impl<'de> Deserialize<'de> for $selector {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                }
            }
        )*
    };
}

as_text! { Selector FieldSelector }
