//! [`Strategy`]: the rules of one kind, as data and functions. [`rules`](super::rules) says when each of them applies.

use serde_json::{Value, json};
use trimtab_managed_fields::Paths;

use crate::api::{
    clock::Clock,
    status::{Cause, Result},
    subresource::Subresource,
};

/// The rules of one kind. A kind names the rules that differ from [`Strategy::PLAIN`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strategy {
    // Names and selection
    pub(crate) name: NameRule,
    /// The fields beside the name and the namespace by which objects can be selected.
    pub(crate) selectable_fields: &'static [&'static str],
    /// Whether the refusal of another field names the kind, as upstream does for Jobs.
    pub(crate) names_kind_of_selector: bool,

    // Writes
    /// Fills in the fields that a writer may leave out. Doing so again changes nothing.
    pub(crate) set_defaults: fn(&mut Value),
    /// Fills in the fields that whoever writes the status may leave out.
    pub(crate) set_status_defaults: fn(&mut Value),
    /// Sets the fields that only the server sets in a new object.
    pub(crate) prepare_for_create: fn(&mut Value),
    /// Completes a new object with what depends on its name, which may have been generated after the rest.
    pub(crate) complete_named: fn(&mut Value),
    /// The status of a new object at the present time; `None` leaves it absent. Asked only of a kind that has `/status`.
    pub(crate) first_status: fn(&Clock, &Value) -> Option<Value>,
    /// Whether a new object keeps the status that its writer sent.
    pub(crate) keeps_first_status: bool,
    /// Changes the new state of an update of the object itself; the old state comes first.
    pub(crate) prepare_for_update: fn(&Value, &mut Value),
    /// Changes the new state of an update of the status; the old state comes first.
    pub(crate) prepare_for_status_update: fn(&Value, &mut Value),
    /// Whether an update of the object leaves its spec alone.
    pub(crate) fixes_spec: bool,
    /// Whether `metadata.generation` counts the changes of an object.
    pub(crate) counts_generations: bool,
    /// Whether a change of the annotations counts as a generation.
    pub(crate) counts_annotations: bool,
    /// Whether a change of labels counts as one, too.
    pub(crate) counts_labels: bool,
    /// Whether a PUT creates an object that does not exist.
    pub(crate) creates_on_update: bool,
    /// Whether an update may leave out the resource version that it replaces.
    pub(crate) updates_unconditionally: bool,
    /// Whether a change of the metadata alone depends on the rest of the object or changes it.
    pub(crate) reads_beyond_metadata: bool,
    /// Converts an object to the form in which it is stored, if that differs by more than its `apiVersion`.
    pub(crate) to_stored: Option<fn(&mut Value)>,
    /// Converts a stored object to the form of this kind's version.
    pub(crate) from_stored: fn(&mut Value),

    // Validation
    /// Validates a new object before its metadata.
    pub(crate) validate_first: fn(&Value, &mut Vec<Cause>),
    /// Validates the state of an object, new or changed.
    pub(crate) validate: fn(&Value, &mut Vec<Cause>),
    /// Validates a new object after everything else.
    pub(crate) validate_new: fn(&Value, &mut Vec<Cause>),
    /// Validates a change of the object itself, from the old state to the new one.
    pub(crate) validate_change: fn(&Value, &Value, &mut Vec<Cause>),
    /// Whether the errors of `validate_change` come after those of `validate`.
    pub(crate) validates_change_last: bool,
    /// Whether the errors of `validate_change` are told alone.
    pub(crate) stops_at_change: bool,
    /// Validates a change of a subresource or of the metadata alone, from the old state to the new one.
    pub(crate) validate_part: fn(Option<Subresource>, &Value, &Value, &mut Vec<Cause>),
    /// How upstream's rules of the kind look at the metadata of a change: each time they report the same errors again.
    pub(crate) metadata_checks: &'static [MetadataCheck],
    /// Whether finalizers without a domain are valid.
    pub(crate) takes_bare_finalizers: bool,
    /// The warnings of a write of the object itself; an update comes with its old state.
    pub(crate) warnings: fn(Option<&Value>, &Value) -> Vec<String>,
    /// The warning of every request to the kind.
    pub(crate) deprecation: Option<&'static str>,

    // Deletion
    /// The objects that every cluster needs: they cannot be deleted.
    pub(crate) undeletable: &'static [&'static str],
    /// Whether a deletion answers with the object that it removed, and not with a `Status`.
    pub(crate) returns_deleted: bool,
    /// The fate of dependents if a deletion does not name one.
    pub(crate) dependents: Dependents,
    /// The warning of a deletion that says nothing about dependents.
    pub(crate) deletion_warning: Option<&'static str>,
    /// Whether finalizers in the spec hold an object back from removal.
    pub(crate) has_spec_finalizers: bool,
    /// Changes an object that is marked as deleted.
    pub(crate) prepare_for_delete: fn(&mut Value),
    /// Marks an object as deleted at a time, in place of the general rules.
    pub(crate) mark_deleted: Option<fn(&mut Value, &Value)>,

    // Managed fields
    /// The fields that a write of the object leaves alone; by default its status, if it has one.
    pub(crate) reset_fields: Option<Paths<'static>>,
    /// The fields that a write of the status leaves alone.
    pub(crate) status_reset_fields: Paths<'static>,
    /// The fields that admission fills into a new object after its managers are known.
    pub(crate) admitted_fields: Paths<'static>,
    /// The fields of a new object without a manager: `admitted_fields`, and those that upstream's server or admission fills in
    /// and that are among the defaults here.
    pub(crate) unmanaged_fields: fn(&Value) -> Paths<'static>,

    // Admission and special kinds
    /// The admission plug-ins for new objects, in their order.
    pub(crate) plugins: &'static [Plugin],
    /// The amounts that a quota counts beside the number of objects.
    pub(crate) usage: Usage,
    /// Whether a quota also counts the objects under their plural name alone.
    pub(crate) counts_by_name: bool,
    /// Whether objects are allocated cluster addresses and node ports.
    pub(crate) is_allocated_addresses: bool,
    /// Whether objects ask for a certificate.
    pub(crate) is_signing_request: bool,
    /// Whether the spec holds certificates of a signer that its writer vouches for.
    pub(crate) is_trust_bundle: bool,
    /// Whether objects define custom kinds.
    pub(crate) is_definition: bool,
    /// Whether a new object binds the Pod of its name to a node.
    pub(crate) is_binding: bool,
    /// The question that a new object asks; it is answered and never stored.
    pub(crate) review: Option<Review>,
    /// The permissions that an object grants.
    pub(crate) grants: Grants,
    /// Refuses a connection to an object that has none.
    pub(crate) check_connection: fn(&Value) -> Result<()>,
    /// The `conditions` of an object's row in a Table.
    pub(crate) row_conditions: fn(&Value) -> Option<Value>,
}

/// A look at the metadata of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataCheck {
    /// At what may change (`ValidateObjectMetaUpdate`).
    Change,
    /// At all of it, as at that of a new object (`ValidateObjectMeta`), and then at the rest of the object.
    Whole,
}

/// The valid names of a kind's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// A DNS subdomain.
    Subdomain,
    /// A DNS label.
    Label,
    /// A segment of a path. A generated name may begin with anything.
    PathSegment,
    /// The kind's own validation checks the name.
    Own,
}

/// The fate of the dependents of a deleted object (`GarbageCollectionPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependents {
    /// They are deleted, too.
    Deleted,
    /// They stay, without an owner.
    Orphaned,
    /// The kind has none, whatever a deletion says.
    Never,
}

/// An admission plug-in for new objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugin {
    /// `LimitRanger`, for Pods.
    LimitPod,
    /// `LimitRanger`, for claims.
    LimitClaim,
    /// `Priority`.
    Priority,
    /// `RuntimeClass`.
    RuntimeClass,
    /// `StorageObjectInUseProtection`: adds this finalizer.
    Protect(&'static str),
    /// `DefaultStorageClass` and `DefaultIngressClass`.
    DefaultClass {
        /// Where classes are stored.
        classes: &'static str,
        /// The annotation of the default class.
        annotation: &'static str,
        /// The field of the spec that names the class.
        field: &'static str,
    },
    /// `TaintNodesByCondition`.
    TaintNode,
}

/// The amounts of an object that a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Only that it exists.
    Count,
    /// The resources of a Pod.
    Pod,
    /// The node ports and load balancers of a Service.
    Service,
    /// The storage of a claim.
    Claim,
}

/// The question of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Review {
    /// `SelfSubjectAccessReview`
    SelfSubjectAccess,
    /// `SubjectAccessReview`
    SubjectAccess,
    /// `LocalSubjectAccessReview`
    LocalSubjectAccess,
    /// `SelfSubjectRulesReview`
    SelfSubjectRules,
    /// `SelfSubjectReview`
    SelfSubject,
    /// `TokenReview`
    Token,
}

/// The permissions that an object of RBAC grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grants {
    /// None.
    Nothing,
    /// The rules of a role.
    Rules,
    /// The rules of a role, and those of the roles that it selects.
    AggregatedRules,
    /// A role.
    Role,
}

impl Strategy {
    /// A kind without rules of its own: objects are stored as they are sent, by the type of the kind.
    pub(crate) const PLAIN: Self = Self {
        name: NameRule::Subdomain,
        selectable_fields: &[],
        names_kind_of_selector: false,
        set_defaults: |_| {},
        set_status_defaults: |_| {},
        prepare_for_create: |_| {},
        complete_named: |_| {},
        first_status: |_, _| Some(json!({})),
        keeps_first_status: false,
        prepare_for_update: |_, _| {},
        prepare_for_status_update: |_, _| {},
        fixes_spec: false,
        counts_generations: false,
        counts_annotations: false,
        counts_labels: false,
        creates_on_update: false,
        updates_unconditionally: true,
        reads_beyond_metadata: false,
        to_stored: None,
        from_stored: |_| {},
        validate_first: |_, _| {},
        validate: |_, _| {},
        validate_new: |_, _| {},
        validate_change: |_, _, _| {},
        validates_change_last: false,
        stops_at_change: false,
        validate_part: |_, _, _, _| {},
        metadata_checks: &[MetadataCheck::Change],
        takes_bare_finalizers: false,
        warnings: |_, _| Vec::new(),
        deprecation: None,
        undeletable: &[],
        returns_deleted: false,
        dependents: Dependents::Deleted,
        deletion_warning: None,
        has_spec_finalizers: false,
        prepare_for_delete: |_| {},
        mark_deleted: None,
        reset_fields: None,
        status_reset_fields: &[&["spec"]],
        admitted_fields: &[],
        unmanaged_fields: |_| &[],
        plugins: &[],
        usage: Usage::Count,
        counts_by_name: false,
        is_allocated_addresses: false,
        is_signing_request: false,
        is_trust_bundle: false,
        is_definition: false,
        is_binding: false,
        review: None,
        grants: Grants::Nothing,
        check_connection: |_| Ok(()),
        row_conditions: |_| None,
    };
}
