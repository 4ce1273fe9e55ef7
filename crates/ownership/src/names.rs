//! Names that follow from an owner, and a stable hash of a template.

use serde::Serialize;
use serde_json::Value;

/// The longest name that is also a valid label value and host name.
const LONGEST: usize = 63;

/// The letters and digits of a hash: no vowels and none that look alike, so that no word comes out.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Returns the name of an owner's dependent number `index`: the same for the same owner and index,
/// always.
///
/// With such names a repeated create makes no twin, even if the first try was carried out without a reply:
/// the server refuses the second with 409 `AlreadyExists`. The name has a hash of the owner's UID in it, so
/// that an object that comes back under its old name does not meet the dependents of its predecessor.
///
/// Upstream's ReplicaSets cannot use it: their Pods have generated names by contract. There a lost reply must
/// be waited for instead (`trimtab-expectations`).
///
/// ```
/// use trimtab_ownership::dependent_name;
///
/// let name = dependent_name("web", "29b6cd2f-3c24-4a8f-a1a1-2b2b4f0c3a55", 4);
/// assert_eq!(name, dependent_name("web", "29b6cd2f-3c24-4a8f-a1a1-2b2b4f0c3a55", 4));
/// assert!(name.starts_with("web-") && name.ends_with("-4"));
/// ```
pub fn dependent_name(owner: &str, uid: &str, index: u32) -> String {
    let suffix = format!("-{}-{index}", encode(fnv(uid.as_bytes(), OFFSET)));
    let mut base = owner;
    while base.len() + suffix.len() > LONGEST {
        let Some((shorter, _)) = base.char_indices().next_back() else { break };
        base = &base[..shorter];
    }
    format!("{}{suffix}", base.trim_end_matches(['-', '.']))
}

/// Returns a hash of `template` that is the same in every process and version, for labels and
/// names.
///
/// `collision_count` makes another hash of the same template, for the case that its name is taken. Fields
/// count by name, not by order. It is a hash of Trimtab's own: upstream's is that of a dump of a Go struct,
/// which nothing else can equal. Find an existing object by its content, not by this hash.
///
/// # Errors
///
/// If the template cannot be written as JSON.
pub fn template_hash(
    template: &impl Serialize,
    collision_count: Option<i32>,
) -> Result<String, serde_json::Error> {
    let mut hash = canonical(&serde_json::to_value(template)?, OFFSET);
    if let Some(count) = collision_count {
        hash = fnv(&count.to_le_bytes(), hash);
    }
    Ok(encode(hash))
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, 64 bits wide, from the state `hash`.
fn fnv(bytes: &[u8], hash: u64) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Hashes a value with its members sorted by name; `null` members count as absent.
fn canonical(value: &Value, hash: u64) -> u64 {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let hash = members.into_iter().fold(fnv(b"{", hash), |hash, (name, value)| {
                canonical(value, fnv(b":", fnv(name.as_bytes(), fnv(&[0], hash))))
            });
            fnv(b"}", hash)
        }
        Value::Array(items) => {
            let hash = items.iter().fold(fnv(b"[", hash), |hash, item| fnv(b",", canonical(item, hash)));
            fnv(b"]", hash)
        }
        scalar => fnv(scalar.to_string().as_bytes(), hash),
    }
}

/// Ten characters of the alphabet.
fn encode(mut hash: u64) -> String {
    let base = ALPHABET.len() as u64;
    std::iter::repeat_with(|| {
        let digit = usize::try_from(hash % base).expect("a remainder of 27 is small");
        hash /= base;
        char::from(ALPHABET[digit])
    })
    .take(10)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// EX-T9.
    #[test]
    fn a_templates_hash_differs_by_collision_count() {
        let template = json!({"spec": {"containers": [{"name": "c", "image": "i"}]}});
        let mut hashes: Vec<_> = [None, Some(1), Some(2), Some(i32::MAX)]
            .map(|count| template_hash(&template, count).expect("JSON"))
            .into();
        assert_eq!(hashes[0], template_hash(&template, None).expect("JSON"));
        assert!(hashes.iter().all(|hash| hash.bytes().all(|byte| ALPHABET.contains(&byte))));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 4);
    }

    /// A new version must not roll out every workload again.
    #[test]
    fn a_templates_hash_is_stable_and_counts_content_alone() {
        let hash = |value: Value| template_hash(&value, None).expect("JSON");
        assert_eq!(
            hash(json!({"a": 1, "b": [true, "x"]})),
            hash(json!({"b": [true, "x"], "a": 1, "c": null}))
        );
        assert_ne!(hash(json!({"a": ["b", "c"]})), hash(json!({"a": ["bc"]})));
        assert_eq!(encode(fnv(b"a", OFFSET)), "vmwnzb6kl6");
    }

    #[test]
    fn names_are_short_enough_and_differ_by_owner_and_index() {
        let long = "x".repeat(80);
        assert!(dependent_name(&long, "u1", u32::MAX).len() <= LONGEST);
        assert_ne!(dependent_name("web", "u1", 1), dependent_name("web", "u2", 1));
        assert_ne!(dependent_name("web", "u1", 1), dependent_name("web", "u1", 2));
    }
}
