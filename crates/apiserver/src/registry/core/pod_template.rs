//! `PodTemplate`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::path::Path,
    registry::{Column, Kind, Strategy, cells, column, defaults, validation, warnings},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "PodTemplate", "podtemplates").columns(columns()).strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |template| defaults::pod::template(defaults::whole(template)),
    validate: |template, causes| {
        validation::pod::template(&template["template"], &Path::Root("template"), causes)
    },
    counts_generations: true,
    warnings: |old, new| warnings::template(old, new, "template"),
    returns_deleted: true,
    ..Strategy::PLAIN
};

fn columns() -> Vec<Column> {
    vec![
        column::name(),
        column::computed("Containers", template_containers),
        column::computed("Images", template_images),
        column::computed("Pod Labels", template_labels),
    ]
}

fn template_containers(template: &Value, _: Timestamp) -> Value {
    cells::joined(
        cells::array(template, "/template/spec/containers").iter().map(|one| cells::text(one, "/name")),
        ",",
    )
    .into()
}

fn template_images(template: &Value, _: Timestamp) -> Value {
    cells::joined(
        cells::array(template, "/template/spec/containers").iter().map(|one| cells::text(one, "/image")),
        ",",
    )
    .into()
}

fn template_labels(template: &Value, _: Timestamp) -> Value {
    cells::labels(template, "/template/metadata/labels").into()
}
