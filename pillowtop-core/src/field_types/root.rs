//! The parameters of the root of a mapping, beside `properties`.

use super::availability::Availability;
use super::parameter::Parameter;
use super::parameter::ValueKind::{
    self, Boolean, DateFormats, DynamicTemplates, Members, Object, OneOf, ScriptedFields, TextList,
    TextOrList,
};
use super::shared::{DISABLE_OBJECTS, DYNAMIC, ENABLED, SUBOBJECTS};

const SOURCE: &[Parameter] = &[
    ENABLED,
    Parameter::new("includes", TextList, "The only paths kept, with `*`"),
    Parameter::new("excludes", TextList, "The paths left out, with `*`"),
    Parameter::new("mode", OneOf(&["stored", "synthetic", "disabled"]), "Stored, or rebuilt when read")
        .elasticsearch(8, 4),
    Parameter::new("recovery_source_enabled", Boolean, "Whether recovery keeps what the source leaves out")
        .opensearch(2, 18),
    Parameter::new("recovery_source_includes", TextList, "The only paths kept for recovery")
        .opensearch(2, 18),
    Parameter::new("recovery_source_excludes", TextList, "The paths left out for recovery").opensearch(2, 18),
];

const ENABLED_ONLY: &[Parameter] = &[ENABLED];

const TEMPLATE: &[Parameter] = &[
    Parameter::new("match_mapping_type", TextOrList, "The JSON types it is for, such as `string`, or `*`"),
    Parameter::new("unmatch_mapping_type", TextOrList, "The JSON types it is not for").elasticsearch(8, 8),
    Parameter::new("match", TextOrList, "The field names it is for, with `*`"),
    Parameter::new("unmatch", TextOrList, "The field names it is not for, with `*`"),
    Parameter::new("path_match", TextOrList, "The full paths it is for, with `*`"),
    Parameter::new("path_unmatch", TextOrList, "The full paths it is not for, with `*`"),
    Parameter::new("match_pattern", OneOf(&["simple", "regex"]), "How names are compared; default simple"),
    Parameter::new("mapping", Object, "The mapping that the field gets"),
    Parameter::new("runtime", Object, "The runtime field that it becomes").updateable().elasticsearch(7, 11),
];

const ROUTING: &[Parameter] = &[Parameter::new(
    "required",
    Boolean,
    "Whether a document without a routing value is rejected; default false",
)];

/// The parameters of the root of a mapping, beside `properties`.
pub const ROOT_PARAMETERS: &[Parameter] = &[
    DYNAMIC,
    Parameter::new(
        "date_detection",
        Boolean,
        "Whether text that looks like a date is mapped as one; default true",
    )
    .updateable(),
    Parameter::new(
        "numeric_detection",
        Boolean,
        "Whether text that looks like a number is mapped as one; default false",
    )
    .updateable(),
    Parameter::new("dynamic_date_formats", DateFormats, "Which dates are detected").updateable(),
    Parameter::new(
        "dynamic_templates",
        DynamicTemplates(TEMPLATE),
        "How fields that the mapping does not name are mapped",
    )
    .updateable(),
    Parameter::new("runtime", ScriptedFields, "Fields computed when they are searched")
        .updateable()
        .elasticsearch(7, 11),
    Parameter::new("derived", ScriptedFields, "Fields computed when they are searched")
        .updateable()
        .opensearch(2, 15),
    Parameter::new("_source", Members(SOURCE), "What is kept of the document as it was sent"),
    Parameter::new("_routing", Members(ROUTING), "Whether documents must come with a routing value"),
    Parameter::new("_meta", Object, "Notes of the application; servers keep them and do not read them")
        .updateable()
        .nullable(),
    Parameter::new(
        "_size",
        Members(ENABLED_ONLY),
        "The size of the document, indexed; needs the plugin `mapper-size`",
    ),
    Parameter::new(
        "_field_names",
        Members(ENABLED_ONLY),
        "The names of the fields a document has; deprecated",
    )
    .available(Availability::EVERYWHERE.removed_from_elasticsearch(8, 0)),
    Parameter::new(
        "_data_stream_timestamp",
        Members(ENABLED_ONLY),
        "Marks the backing index of a data stream",
    )
    .available(Availability::both((7, 9), (1, 0))),
    Parameter::new("enabled", Boolean, "Whether documents are read at all; default true"),
    SUBOBJECTS,
    DISABLE_OBJECTS,
    Parameter::new("composite", ScriptedFields, "Star-tree indices, which precompute aggregations")
        .opensearch(3, 1),
    Parameter::new(
        "context_aware_grouping",
        ValueKind::Object,
        "Which documents are kept in segments together",
    )
    .opensearch(3, 4),
];
