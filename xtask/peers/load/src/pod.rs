//! The Pods of the load: one template, parsed once, with gaps for the values that differ between Pods.

use bytes::{BufMut, BytesMut};
use std::fmt::Write;

/// A running Pod as a kube-apiserver sends it, about 8.5 KB with a quarter of managedFields.
const TEMPLATE: &str = include_str!("../pod.json");
/// The number of Pods in one ReplicaSet, and in one namespace.
const PER_SET: u64 = 10;
const PER_NAMESPACE: u64 = 250;
const NODES: u64 = 500;
/// The longest note, which makes the sizes of Pods differ.
const NOTE: &str = "Carts keep their vouchers when the session moves between zones; payment retries are \
                    spread over thirty seconds; the catalogue's cache is warmed before readiness; \
                    two fields of the order event are deprecated and go with release five.";

/// One Pod of the load.
#[derive(Clone, Copy, Debug)]
pub struct Pod {
    /// The number of the Pod, from 0.
    pub number: u64,
    pub version: u64,
}

/// The text of a Pod, split at its gaps.
#[derive(Debug)]
pub struct Template {
    /// Pieces of text, each with the index in [`GAPS`] of the gap after it.
    pieces: Vec<(Box<str>, usize)>,
    tail: Box<str>,
}

#[derive(Clone, Copy, Debug)]
enum Gap {
    Name,
    Namespace,
    Uid,
    Version,
    Set,
    SetUid,
    Hash,
    Token,
    Node,
    PodIp,
    HostIp,
    Note,
}

/// Longer names first: `$NAME` also begins `$NAMESPACE`.
const GAPS: [(&str, Gap); 12] = [
    ("$NAMESPACE", Gap::Namespace),
    ("$SET_UID", Gap::SetUid),
    ("$VERSION", Gap::Version),
    ("$HOST_IP", Gap::HostIp),
    ("$POD_IP", Gap::PodIp),
    ("$TOKEN", Gap::Token),
    ("$NAME", Gap::Name),
    ("$HASH", Gap::Hash),
    ("$NODE", Gap::Node),
    ("$NOTE", Gap::Note),
    ("$UID", Gap::Uid),
    ("$SET", Gap::Set),
];

impl Template {
    /// Writes a Pod. Inside of a list it has no kind and apiVersion, in an event it has both.
    ///
    /// # Errors
    ///
    /// If the template is not JSON.
    pub fn new(with_kind: bool) -> Result<Self, serde_json::Error> {
        let mut pod: serde_json::Map<String, serde_json::Value> = serde_json::from_str(TEMPLATE)?;
        if !with_kind {
            pod.shift_remove("kind");
            pod.shift_remove("apiVersion");
        }
        let text = serde_json::to_string(&pod)?;
        let mut rest = text.as_str();
        let mut pieces = Vec::new();
        while let Some((before, gap, after)) = next_gap(rest) {
            pieces.push((before.into(), gap));
            rest = after;
        }
        Ok(Self { pieces, tail: rest.into() })
    }

    pub fn render(&self, pod: Pod, out: &mut BytesMut) {
        let filled = Filled::of(pod);
        for (text, gap) in &self.pieces {
            out.put_slice(text.as_bytes());
            out.put_slice(filled.get(*gap).as_bytes());
        }
        out.put_slice(self.tail.as_bytes());
    }
}

/// The values for a Pod's gaps, each formatted once.
struct Filled {
    text: String,
    ends: [usize; GAPS.len()],
}

impl Filled {
    fn of(pod: Pod) -> Self {
        let mut filled = Self { text: String::with_capacity(640), ends: [0; GAPS.len()] };
        for (end, (_, gap)) in GAPS.into_iter().enumerate() {
            pod.fill(gap, &mut filled.text).expect("a String grows");
            filled.ends[end] = filled.text.len();
        }
        filled
    }

    /// The value for a gap.
    fn get(&self, gap: usize) -> &str {
        let start = gap.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[gap]]
    }
}

impl Pod {
    fn fill(self, gap: Gap, out: &mut String) -> std::fmt::Result {
        let number = self.number;
        let set = number / PER_SET;
        let node = scatter(number) % NODES;
        match gap {
            Gap::Name => write!(out, "shop-checkout-{:010x}-{:05x}", hash(set), number % 0x10_0000),
            Gap::Namespace => write!(out, "shop-{:05}", number / PER_NAMESPACE),
            Gap::Uid => uid(number, out),
            Gap::Version => write!(out, "{}", self.version),
            Gap::Set => write!(out, "shop-checkout-{:010x}", hash(set)),
            Gap::SetUid => uid(set + (1 << 40), out),
            Gap::Hash => write!(out, "{:010x}", hash(set)),
            Gap::Token => write!(out, "{:05x}", scatter(number) & 0xf_ffff),
            Gap::Node => write!(out, "ip-10-20-{}-{}.internal", node / 200, node % 200),
            Gap::PodIp => {
                write!(out, "10.{}.{}.{}", 64 + number / 65_536 % 64, number / 256 % 256, number % 256)
            }
            Gap::HostIp => write!(out, "10.20.{}.{}", node / 200, node % 200),
            Gap::Note => out.write_str(&NOTE[..scatter(number) as usize % NOTE.len()]),
        }
    }
}

/// Finds the first gap: the text before it, its index, and the text after it.
fn next_gap(text: &str) -> Option<(&str, usize, &str)> {
    let at = text.find('$')?;
    let (before, rest) = text.split_at(at);
    let gap = GAPS.iter().position(|(name, _)| rest.starts_with(name))?;
    Some((before, gap, &rest[GAPS[gap].0.len()..]))
}

/// A ReplicaSet's template hash: ten hexadecimal digits.
fn hash(set: u64) -> u64 {
    scatter(set) & 0xff_ffff_ffff
}

fn uid(number: u64, out: &mut String) -> std::fmt::Result {
    let (high, low) = (scatter(number), scatter(!number));
    let fields =
        (high >> 32, high >> 16 & 0xffff, high & 0xfff, low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
    write!(out, "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", fields.0, fields.1, fields.2, fields.3, fields.4)
}

/// Spreads numbers over all 64 bits (the finaliser of splitmix64), so that neighbours share no prefix.
fn scatter(number: u64) -> u64 {
    let mixed = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn rendered(number: u64, with_kind: bool) -> (usize, Value) {
        let mut text = BytesMut::new();
        Template::new(with_kind).unwrap().render(Pod { number, version: 77 }, &mut text);
        (text.len(), serde_json::from_slice(&text).unwrap())
    }

    #[test]
    fn every_pod_has_8_to_9_kilobytes_a_quarter_of_them_managed_fields() {
        for number in 0..1000 {
            let (size, pod) = rendered(number, true);
            assert!((8_000..9_000).contains(&size), "{size}");
            let managed = pod["metadata"]["managedFields"].to_string().len();
            assert!((22..=30).contains(&(managed * 100 / size)), "{managed} of {size}");
        }
    }

    #[test]
    fn no_gap_is_left_open() {
        let (_, pod) = rendered(3, true);
        assert!(!pod.to_string().contains('$'), "{pod}");
        assert_eq!(pod["metadata"]["resourceVersion"], "77");
    }

    #[test]
    fn pods_of_a_set_share_their_owner_and_nothing_else() {
        let ((_, a), (_, b), (_, c)) = (rendered(0, true), rendered(9, true), rendered(10, true));
        let owner = |pod: &Value| pod["metadata"]["ownerReferences"][0]["uid"].clone();
        assert_eq!(owner(&a), owner(&b));
        assert_ne!(owner(&a), owner(&c));
        assert_ne!(a["metadata"]["uid"], b["metadata"]["uid"]);
        assert_ne!(a["metadata"]["name"], b["metadata"]["name"]);
    }

    #[test]
    fn items_of_a_list_carry_no_kind() {
        assert_eq!(rendered(0, false).1["kind"], Value::Null);
        assert_eq!(rendered(0, true).1["kind"], "Pod");
    }
}
