//! Certificate signing requests: who makes one, who may approve it, and who may answer it with a certificate. Trust bundles:
//! who may vouch for a signer.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    Caller, User,
    attributes::{Attributes, Target},
    escalation::differ_for_garbage_alone,
};
use crate::{
    api::{
        object,
        status::{Result, Status},
        subresource::Subresource,
    },
    registry::{Kind, certificates::certificate_signing_request::count},
};

const GROUP: &str = "certificates.k8s.io";
/// The signer of certificates that clients of the API server show.
const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";
/// The group whose members may do everything.
const MASTERS: &str = "system:masters";

/// Writes into a new signing request who makes it, whatever its body says.
pub(crate) fn begin(user: &User, kind: &Kind, object: &mut Value) {
    if !kind.strategy.is_signing_request {
        return;
    }
    let spec = &mut object["spec"];
    if !spec.is_object() {
        *spec = json!({});
    }
    spec["username"] = user.name.clone().into();
    spec["groups"] = json!(user.groups);
    let told = [
        ("uid", Some(json!(user.uid)).filter(|_| !user.uid.is_empty())),
        ("extra", Some(json!(user.extra)).filter(|_| !user.extra.is_empty())),
    ];
    let fields = spec.as_object_mut().expect("made an object above");
    for (field, value) in told {
        match value {
            Some(value) => fields.insert(field.to_owned(), value),
            None => fields.remove(field),
        };
    }
}

/// Refuses a new signing request whose certificate would be an administrator's: upstream's plug-in
/// `CertificateSubjectRestriction`.
pub(crate) fn admit(kind: &Kind, object: &Value) -> Result<()> {
    if !kind.strategy.is_signing_request || object["spec"]["signerName"] != CLIENT_SIGNER {
        return Ok(());
    }
    let pem = BASE64_STANDARD.decode(object["spec"]["request"].as_str().unwrap_or_default());
    let organizations = pem.ok().and_then(|pem| organizations(&pem)).unwrap_or_default();
    if organizations.iter().any(|organization| organization == MASTERS.as_bytes()) {
        let because = format!("use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed");
        return Err(Status::forbidden(kind, object::name(object), &because));
    }
    Ok(())
}

/// Refuses an approval or a certificate from somebody who may not give it for the request's signer: upstream's plug-ins
/// `CertificateApproval` and `CertificateSigning`.
pub(crate) fn check(caller: &Caller<'_>, old: &Value, new: &Value) -> Result<()> {
    let kind = &caller.route.kind;
    if !kind.strategy.is_signing_request {
        return Ok(());
    }
    let verb = match caller.route.subresource {
        Some(Subresource::Approval) => "approve",
        Some(Subresource::Status) if signs(old, new) => "sign",
        _ => return Ok(()),
    };
    let signer = old["spec"]["signerName"].as_str().unwrap_or_default();
    if may(caller, verb, signer) {
        return Ok(());
    }
    let because = format!("user not permitted to {verb} requests with signerName {signer:?}");
    Err(Status::forbidden(kind, object::name(old), &because))
}

/// Refuses a trust bundle from somebody who may not vouch for its signer: upstream's plug-in `ClusterTrustBundleAttest`.
///
/// `old` is the bundle before an update.
pub(crate) fn attest(caller: &Caller<'_>, old: Option<&Value>, new: &Value) -> Result<()> {
    let kind = &caller.route.kind;
    let signer = new["spec"]["signerName"].as_str().unwrap_or_default();
    if !kind.strategy.is_trust_bundle
        || signer.is_empty()
        || old.is_some_and(|old| differ_for_garbage_alone(old, new))
        || may(caller, "attest", signer)
    {
        return Ok(());
    }
    let because = format!("user not permitted to attest for signerName {signer:?}");
    Err(Status::forbidden(kind, object::name(new), &because))
}

/// Whether a status gets a certificate, or says that there is none.
fn signs(old: &Value, new: &Value) -> bool {
    let certificate = |request: &'_ Value| request["status"].get("certificate").cloned();
    certificate(old) != certificate(new) || count(old, "Failed") != count(new, "Failed")
}

/// Returns whether the caller may do `verb` for `signer`, by its name or by that of its domain.
fn may(caller: &Caller<'_>, verb: &'static str, signer: &str) -> bool {
    let domain = signer.split('/').next().unwrap_or_default();
    [signer.to_owned(), format!("{domain}/*")].into_iter().any(|name| {
        let target = Target::Resource {
            group: GROUP,
            plural: "signers",
            subresource: "",
            namespace: "",
            name: Cow::Owned(name),
        };
        caller.is_allowed(&Attributes { verb: verb.into(), target })
    })
}

/// The organizations in the subject of a PKCS #10 request in PEM; `None` if it is none.
fn organizations(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    /// The object identifier 2.5.4.10.
    const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
    const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----";
    const END: &str = "-----END CERTIFICATE REQUEST-----";
    let pem = std::str::from_utf8(pem).ok()?;
    let base64: String = pem.split_once(BEGIN)?.1.split_once(END)?.0.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(base64).ok()?;
    // CertificationRequest { CertificationRequestInfo { version, subject, ... }, ... }
    let (request, _) = element(&der)?;
    let (info, _) = element(request)?;
    let (_version, rest) = element(info)?;
    let (mut subject, _) = element(rest)?;
    let mut found = Vec::new();
    while !subject.is_empty() {
        let (mut set, rest) = element(subject)?;
        subject = rest;
        while !set.is_empty() {
            let (attribute, rest) = element(set)?;
            set = rest;
            let (kind, value) = element(attribute)?;
            if kind == ORGANIZATION {
                found.push(element(value)?.0.to_vec());
            }
        }
    }
    Some(found)
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[_tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DER element.
    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u8::try_from(content.len()).expect("short");
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head, content].concat()
    }

    /// A request in PEM whose subject has these attributes.
    fn request(attributes: &[(u8, &str)]) -> Vec<u8> {
        let attribute = |(kind, text): &(u8, &str)| {
            let kind = der(6, &[&[0x55, 0x04, *kind]]);
            der(0x31, &[&der(0x30, &[&kind, &der(0x0c, &[text.as_bytes()])])])
        };
        let attributes: Vec<Vec<u8>> = attributes.iter().map(attribute).collect();
        let subject = der(0x30, &attributes.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let request = der(0x30, &[&der(0x30, &[&der(2, &[&[0]]), &subject])]);
        let base64 = BASE64_STANDARD.encode(request);
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{base64}\n-----END CERTIFICATE REQUEST-----\n")
            .into_bytes()
    }

    #[test]
    fn the_organizations_of_a_subject_are_found() {
        let found = organizations(&request(&[(3, "ada"), (10, "ops"), (10, MASTERS)]));
        assert_eq!(found, Some(vec![b"ops".to_vec(), MASTERS.as_bytes().to_vec()]));
        assert_eq!(organizations(&request(&[])), Some(Vec::new()));
        assert_eq!(organizations(b"nothing of the kind"), None);
        assert_eq!(element(&[0x30, 0x05, 0]), None, "cut short");
        assert_eq!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None, "longer than its text");
    }
}
