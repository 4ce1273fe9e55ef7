//! The columns of `kubectl get` for built-in kinds, under the headings and in the order of upstream.
//! Apart from the cells, because this is a table and those are rules.

mod control;
mod infrastructure;
mod storage;

pub(super) use self::control::*;
pub(super) use self::infrastructure::*;
pub(super) use self::storage::*;

use super::{Cell, Column, cells};

/// `Name` and `Age`, which most kinds have at least.
pub(super) fn age() -> Vec<Column> {
    vec![name(), since("Age", "/metadata/creationTimestamp")]
}

pub(super) fn namespace() -> Vec<Column> {
    with_age(vec![text("Status", "/status/phase")])
}

pub(super) fn config_map() -> Vec<Column> {
    with_age(vec![computed("Data", cells::config_map_data)])
}

pub(super) fn secret() -> Vec<Column> {
    with_age(vec![text("Type", "/type"), computed("Data", cells::secret_data)])
}

pub(super) fn lease() -> Vec<Column> {
    with_age(vec![text("Holder", "/spec/holderIdentity")])
}

pub(super) fn endpoints() -> Vec<Column> {
    with_age(vec![computed("Endpoints", cells::endpoints)])
}

pub(super) fn controller_revision() -> Vec<Column> {
    with_age(vec![computed("Controller", cells::controller), computed("Revision", cells::revision)])
}

pub(super) fn priority_class() -> Vec<Column> {
    let mut columns = with_age(vec![number("Value", "/value"), boolean("Global-Default", "/globalDefault")]);
    columns.push(text("PreemptionPolicy", "/preemptionPolicy"));
    columns
}

pub(super) fn disruption_budget() -> Vec<Column> {
    with_age(vec![
        computed("Min Available", cells::min_available),
        computed("Max Unavailable", cells::max_unavailable),
        number("Allowed Disruptions", "/status/disruptionsAllowed"),
    ])
}

pub(super) fn service() -> Vec<Column> {
    let mut columns = with_age(vec![
        text("Type", "/spec/type"),
        computed("Cluster-IP", cells::cluster_ip),
        computed("External-IP", cells::external_ip),
        computed("Port(s)", cells::ports),
    ]);
    columns.push(computed("Selector", cells::service_selector).wide());
    columns
}

pub(super) fn pod() -> Vec<Column> {
    let mut columns = with_age(vec![
        computed("Ready", cells::pod_ready),
        computed("Status", cells::pod_status),
        computed("Restarts", cells::pod_restarts),
    ]);
    columns.extend([
        computed("IP", cells::pod_ip).wide(),
        computed("Node", cells::pod_node).wide(),
        computed("Nominated Node", cells::pod_nominated_node).wide(),
        computed("Readiness Gates", cells::pod_readiness_gates).wide(),
    ]);
    columns
}

/// Also those of a ReplicationController.
pub(super) fn replica_set() -> Vec<Column> {
    with_workload(vec![
        number("Desired", "/spec/replicas"),
        number("Current", "/status/replicas"),
        number("Ready", "/status/readyReplicas"),
    ])
}

pub(super) fn deployment() -> Vec<Column> {
    with_workload(vec![
        computed("Ready", cells::replicas_ready),
        computed("Up-to-date", cells::updated_replicas),
        computed("Available", cells::available_replicas),
    ])
}

pub(super) fn stateful_set() -> Vec<Column> {
    let mut columns = with_workload(vec![computed("Ready", cells::replicas_ready)]);
    columns.pop(); // upstream shows no selector here
    columns
}

pub(super) fn daemon_set() -> Vec<Column> {
    with_workload(vec![
        number("Desired", "/status/desiredNumberScheduled"),
        number("Current", "/status/currentNumberScheduled"),
        number("Ready", "/status/numberReady"),
        number("Up-to-date", "/status/updatedNumberScheduled"),
        number("Available", "/status/numberAvailable"),
        computed("Node Selector", cells::node_selector),
    ])
}

pub(super) fn job() -> Vec<Column> {
    with_workload(vec![
        computed("Status", cells::job_status),
        computed("Completions", cells::job_completions),
        computed("Duration", cells::job_duration),
    ])
}

pub(super) fn cron_job() -> Vec<Column> {
    let mut columns = with_age(vec![
        text("Schedule", "/spec/schedule"),
        computed("Timezone", cells::time_zone),
        boolean("Suspend", "/spec/suspend"),
        Column::new("Active", "integer", Cell::Computed(cells::active_jobs)),
        computed("Last Schedule", cells::last_schedule),
    ]);
    columns.extend([
        computed("Containers", cells::job_containers).wide(),
        computed("Images", cells::job_images).wide(),
        computed("Selector", cells::job_selector).wide(),
    ]);
    columns
}

pub(super) fn pod_autoscaler() -> Vec<Column> {
    with_age(vec![
        computed("Reference", cells::scale_target),
        computed("Targets", cells::scale_metrics),
        computed("MinPods", cells::min_pods),
        computed("MaxPods", cells::max_pods),
        computed("Replicas", cells::current_replicas),
    ])
}

pub(super) fn pod_template() -> Vec<Column> {
    vec![
        name(),
        computed("Containers", cells::template_containers),
        computed("Images", cells::template_images),
        computed("Pod Labels", cells::template_labels),
    ]
}

pub(super) fn resource_quota() -> Vec<Column> {
    with_age(vec![computed("Request", cells::requests_of_quota), computed("Limit", cells::limits_of_quota)])
}

pub(super) fn component_status() -> Vec<Column> {
    vec![
        name(),
        computed("Status", cells::component_health),
        text("Message", "/conditions/0/message"),
        text("Error", "/conditions/0/error"),
    ]
}

pub(super) fn node() -> Vec<Column> {
    let mut columns =
        with_age(vec![computed("Status", cells::node_status), computed("Roles", cells::node_roles)]);
    columns.extend([
        text("Version", "/status/nodeInfo/kubeletVersion"),
        computed("Internal-IP", cells::node_internal_ip).wide(),
        computed("External-IP", cells::node_external_ip).wide(),
        computed("OS-Image", cells::node_os_image).wide(),
        computed("Kernel-Version", cells::node_kernel).wide(),
        computed("Container-Runtime", cells::node_runtime).wide(),
    ]);
    columns
}

pub(super) fn event() -> Vec<Column> {
    vec![
        computed("Last Seen", cells::event_last_seen),
        text("Type", "/type"),
        text("Reason", "/reason"),
        computed("Object", cells::event_object),
        text("Subobject", "/involvedObject/fieldPath").wide(),
        computed("Source", cells::event_source).wide(),
        computed("Message", cells::event_message),
        computed("First Seen", cells::event_first_seen).wide(),
        computed("Count", cells::event_count).wide(),
        name().wide(),
    ]
}

/// `Name`, then `columns`, then `Age`.
fn with_age(columns: Vec<Column>) -> Vec<Column> {
    let [name, age] = [name(), since("Age", "/metadata/creationTimestamp")];
    [name].into_iter().chain(columns).chain([age]).collect()
}

/// `with_age`, then what kinds with a Pod template show beyond.
fn with_workload(columns: Vec<Column>) -> Vec<Column> {
    let mut columns = with_age(columns);
    columns.extend([
        computed("Containers", cells::containers).wide(),
        computed("Images", cells::images).wide(),
        computed("Selector", cells::selector).wide(),
    ]);
    columns
}

fn name() -> Column {
    text("Name", "/metadata/name")
}

fn text(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "string", Cell::Pointer(pointer))
}

fn number(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "integer", Cell::Pointer(pointer))
}

fn boolean(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "boolean", Cell::Pointer(pointer))
}

fn since(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "string", Cell::Since(pointer))
}

fn computed(name: &str, cell: cells::Computed) -> Column {
    Column::new(name, "string", Cell::Computed(cell))
}
