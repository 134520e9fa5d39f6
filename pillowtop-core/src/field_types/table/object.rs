//! Objects, relations between documents, other names of fields.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::{Counterpart, FieldType, Holds};
use crate::field_types::parameter::ValueKind::{self, Boolean, Members, OneOf, Path, Relations, TextList};
use crate::field_types::parameter::{LiveChange, Parameter};
use crate::field_types::shared::{
    DISABLE_OBJECTS, DOC_VALUES, DYNAMIC, EAGER_GLOBAL_ORDINALS, ENABLED, IGNORE_ABOVE, INDEX,
    KEYWORD_INDEX_OPTIONS, META, NULL_TEXT, PROPERTIES, SIMILARITY, SPLIT_QUERIES_ON_WHITESPACE, SUBOBJECTS,
    SYNTHETIC_SOURCE_KEEP, TIME_SERIES_DIMENSION,
};

const OBJECT: &[Parameter] =
    &[PROPERTIES, DYNAMIC, ENABLED, SUBOBJECTS, DISABLE_OBJECTS, SYNTHETIC_SOURCE_KEEP];

const NESTED: &[Parameter] = &[
    PROPERTIES,
    DYNAMIC,
    ENABLED,
    Parameter::new(
        "include_in_parent",
        Boolean,
        "Whether members are also indexed in the enclosing document; default false",
    ),
    Parameter::new(
        "include_in_root",
        Boolean,
        "Whether members are also indexed in the outermost document; default false",
    ),
    Parameter::new(
        "synthetic_source_keep",
        OneOf(&["none", "all"]),
        "What synthetic `_source` keeps exactly as it was sent",
    )
    .elasticsearch(8, 16),
];

const PRIORITY: Parameter =
    Parameter::new("priority", ValueKind::COUNT, "Which of two members with one name wins: the higher")
        .required();

const PASSTHROUGH: &[Parameter] = &[
    PRIORITY.elasticsearch(8, 15),
    PROPERTIES,
    DYNAMIC,
    ENABLED,
    TIME_SERIES_DIMENSION,
    SYNTHETIC_SOURCE_KEEP,
];

const FLATTENED: &[Parameter] = &[
    INDEX,
    DOC_VALUES,
    Parameter::new("depth_limit", ValueKind::COUNT, "How deep objects may be nested in it; default 20")
        .updateable(),
    IGNORE_ABOVE,
    NULL_TEXT,
    KEYWORD_INDEX_OPTIONS,
    SIMILARITY,
    EAGER_GLOBAL_ORDINALS,
    SPLIT_QUERIES_ON_WHITESPACE,
    Parameter::new("time_series_dimensions", TextList, "The members that identify a time series")
        .elasticsearch(8, 11),
    Parameter::new(
        "preserve_leaf_arrays",
        OneOf(&["lossy", "exact"]),
        "Whether synthetic `_source` keeps lists as sent; default lossy",
    )
    .elasticsearch(9, 4),
    PROPERTIES.elasticsearch(9, 4),
    Parameter::new(
        "passthrough",
        Members(&[PRIORITY]),
        "Whether members can be searched without the field's name",
    )
    .elasticsearch(9, 4),
    META,
    SYNTHETIC_SOURCE_KEEP,
];

const JOIN: &[Parameter] = &[
    Parameter::new("relations", Relations, "Which kinds of documents are children of which")
        .live(LiveChange::OnlyGrown)
        .required(),
    EAGER_GLOBAL_ORDINALS,
    META.elasticsearch(7, 11),
];

const ALIAS: &[Parameter] =
    &[Parameter::new("path", Path, "The full path of the field it refers to").updateable().required()];

/// Objects, relations, aliases.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf("object", "An object; of a list of objects all members are mixed", &[OBJECT])
        .holding(Holds::Object),
    FieldType::leaf("nested", "A list of objects, each searched on its own", &[NESTED])
        .holding(Holds::Nested),
    FieldType::leaf(
        "passthrough",
        "An object whose members can be searched without its name",
        &[PASSTHROUGH],
    )
    .holding(Holds::Object)
    .available(Availability::elasticsearch(8, 13)),
    FieldType::leaf(
        "flattened",
        "An object of any shape as one field, its values as exact strings",
        &[FLATTENED],
    )
    .available(Availability::elasticsearch(7, 3))
    .counterpart(Counterpart::Renamed("flat_object"))
    .not_in_multi_fields(),
    FieldType::leaf("flat_object", "An object of any shape as one field, its values as exact strings", &[])
        .available(Availability::opensearch(2, 7))
        .counterpart(Counterpart::Renamed("flattened"))
        .not_in_multi_fields(),
    FieldType::leaf("join", "Parents and children among the documents of an index", &[JOIN])
        .not_in_multi_fields(),
    FieldType::leaf("alias", "Another name of a field", &[ALIAS]).holding(Holds::Alias),
];
