//! The kinds that steer the server itself: who may do what, which kinds there are, what is admitted.

use super::{Subresource, columns, create_only};
use crate::registry::Kind;

const APPROVAL: Subresource =
    Subresource::new("approval", "CertificateSigningRequest", &["get", "patch", "update"]);

pub(super) fn kinds() -> Vec<Kind> {
    let admission = |kind, plural| {
        Kind::plain("admissionregistration.k8s.io", "v1", kind, plural).category("api-extensions").cluster()
    };
    let mutating = |kind, plural| admission(kind, plural).stored("admissionregistration.k8s.io", "v1beta1");
    let flow =
        |kind, plural| Kind::plain("flowcontrol.apiserver.k8s.io", "v1", kind, plural).cluster().status();
    let rbac = |kind, plural| Kind::plain("rbac.authorization.k8s.io", "v1", kind, plural);
    let review = |group, kind, plural| create_only(Kind::plain(group, "v1", kind, plural));
    let authentication = |kind, plural| review("authentication.k8s.io", kind, plural).cluster();
    let authorization = |kind, plural| review("authorization.k8s.io", kind, plural);
    vec![
        mutating("MutatingAdmissionPolicy", "mutatingadmissionpolicies")
            .columns(columns::mutating_admission_policy()),
        mutating("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings")
            .columns(columns::admission_policy_binding()),
        admission("MutatingWebhookConfiguration", "mutatingwebhookconfigurations")
            .columns(columns::webhooks()),
        admission("ValidatingAdmissionPolicy", "validatingadmissionpolicies")
            .status()
            .columns(columns::validating_admission_policy()),
        admission("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings")
            .columns(columns::admission_policy_binding()),
        admission("ValidatingWebhookConfiguration", "validatingwebhookconfigurations")
            .columns(columns::webhooks()),
        Kind::plain("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
            .stored("apiextensions.k8s.io", "v1beta1")
            .short("crd")
            .short("crds")
            .category("api-extensions")
            .cluster()
            .status(),
        Kind::plain("apiregistration.k8s.io", "v1", "APIService", "apiservices")
            .category("api-extensions")
            .cluster()
            .status()
            .columns(columns::api_service()),
        authentication("SelfSubjectReview", "selfsubjectreviews"),
        authentication("TokenReview", "tokenreviews"),
        authorization("LocalSubjectAccessReview", "localsubjectaccessreviews"),
        authorization("SelfSubjectAccessReview", "selfsubjectaccessreviews").cluster(),
        authorization("SelfSubjectRulesReview", "selfsubjectrulesreviews").cluster(),
        authorization("SubjectAccessReview", "subjectaccessreviews").cluster(),
        Kind::plain("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests")
            .short("csr")
            .cluster()
            .status()
            .below(&[APPROVAL])
            .columns(columns::signing_request()),
        flow("FlowSchema", "flowschemas").columns(columns::flow_schema()),
        flow("PriorityLevelConfiguration", "prioritylevelconfigurations").columns(columns::priority_level()),
        rbac("ClusterRole", "clusterroles").cluster(),
        rbac("ClusterRoleBinding", "clusterrolebindings").cluster().columns(columns::role_binding()),
        rbac("Role", "roles"),
        rbac("RoleBinding", "rolebindings").columns(columns::role_binding()),
    ]
}
