//! Parameters that several field types have, written once.

use super::availability::Availability;
use super::parameter::ValueKind::{
    self, Analyzer, Boolean, BooleanOr, Date, DateFormat, Fields, Meta, Normalizer, Number, OneOf, Paths,
    Properties, Script, Similarity, Text,
};
use super::parameter::{LiveChange, Parameter};

/// Where the parameter `boost` at index time still exists: Elasticsearch 8 rejects it.
const BOOST: Availability = Availability::EVERYWHERE.removed_from_elasticsearch(8, 0);

const FIELDS: Parameter =
    Parameter::new("fields", Fields, "The same value indexed in other ways, each under a sub-name");
const COPY_TO: Parameter =
    Parameter::new("copy_to", Paths, "Fields that get a copy of the value, for searching many as one")
        .updateable();

/// What every field that holds values takes.
pub(super) const COMMON: &[Parameter] = &[FIELDS, COPY_TO, META, SYNTHETIC_SOURCE_KEEP.updateable()];

/// The same where `OpenSearch`'s mapper takes none of it.
pub(super) const COMMON_IN_ELASTICSEARCH: &[Parameter] = &[
    FIELDS.elasticsearch(7, 0),
    COPY_TO.elasticsearch(7, 0),
    META.elasticsearch(7, 6),
    SYNTHETIC_SOURCE_KEEP.updateable(),
];

/// The same for types that only `OpenSearch` has.
pub(super) const COMMON_IN_OPENSEARCH: &[Parameter] = &[FIELDS, COPY_TO, META];

pub(super) const META: Parameter =
    Parameter::new("meta", Meta, "Notes about the field for other tools, such as its unit")
        .updateable()
        .available(Availability::both((7, 6), (1, 0)));

pub(super) const SYNTHETIC_SOURCE_KEEP: Parameter = Parameter::new(
    "synthetic_source_keep",
    OneOf(&["none", "arrays", "all"]),
    "What synthetic `_source` keeps exactly as it was sent",
)
.elasticsearch(8, 16);

pub(super) const INDEX: Parameter =
    Parameter::new("index", Boolean, "Whether it can be searched quickly; default true");
pub(super) const STORE: Parameter =
    Parameter::new("store", Boolean, "Whether the value is also kept outside of `_source`; default false");
pub(super) const DOC_VALUES: Parameter =
    Parameter::new("doc_values", Boolean, "Whether it can be sorted, aggregated and read by scripts");

/// Searchable, storable, sortable.
pub(super) const STORAGE: &[Parameter] = &[INDEX, STORE, DOC_VALUES];

/// The boost at index time.
pub(super) const BOOSTED: &[Parameter] =
    &[Parameter::new("boost", Number, "Weight in the relevance score; better given in the query")
        .updateable()
        .available(BOOST)];

pub(super) const IGNORE_MALFORMED: Parameter = Parameter::new(
    "ignore_malformed",
    Boolean,
    "Whether an unfit value is left out, rather than the document rejected; default false",
)
.updateable();
pub(super) const COERCE: Parameter =
    Parameter::new("coerce", Boolean, "Whether text is read as numbers and fractions are cut; default true")
        .updateable();

/// A field computed when a document is indexed; in Elasticsearch since the version given.
pub(super) const fn scripted(major: u16, minor: u16) -> [Parameter; 2] {
    [
        Parameter::new(
            "script",
            Script,
            "Computes the value at index time, instead of reading it from the document",
        )
        .nullable()
        .elasticsearch(major, minor),
        Parameter::new(
            "on_script_error",
            OneOf(&["fail", "continue"]),
            "Whether an error of the script rejects the document; default fail",
        )
        .elasticsearch(major, minor),
    ]
}

/// The script of `long` and `double`, the first types that had one.
pub(super) const SCRIPTED_FIRST: &[Parameter] = &scripted(7, 13);
/// The script of the other types.
pub(super) const SCRIPTED: &[Parameter] = &scripted(7, 14);

pub(super) const TIME_SERIES_DIMENSION: Parameter =
    Parameter::new("time_series_dimension", Boolean, "Whether it identifies a time series; default false")
        .elasticsearch(7, 16);

/// Whether a time series is identified by it.
pub(super) const DIMENSION: &[Parameter] = &[TIME_SERIES_DIMENSION];

pub(super) const fn time_series_metric(values: &'static [&'static str]) -> Parameter {
    Parameter::new("time_series_metric", OneOf(values), "Which kind of measurement of a time series it is")
        .nullable()
        .elasticsearch(7, 16)
}

/// The value that stands for an explicit `null`.
pub(super) const fn null_value(value: ValueKind) -> Parameter {
    Parameter::new("null_value", value, "The value indexed for an explicit null; default none").nullable()
}

pub(super) const NULL_TEXT: Parameter = null_value(Text);
pub(super) const NULL_DATE: Parameter = null_value(Date);

pub(super) const IGNORE_ABOVE: Parameter = Parameter::new(
    "ignore_above",
    ValueKind::COUNT,
    "Strings of more characters are not indexed; a term over 32766 bytes rejects the document",
)
.updateable();
pub(super) const NORMALIZER: Parameter = Parameter::new(
    "normalizer",
    Normalizer,
    "Changes the whole text before it is indexed, such as to lower case",
);
pub(super) const NORMS: Parameter =
    Parameter::new("norms", Boolean, "Whether the length of the field counts in the relevance score")
        .live(LiveChange::OnlyToFalse);
pub(super) const SIMILARITY: Parameter =
    Parameter::new("similarity", Similarity, "How relevance is scored; default BM25").nullable();
pub(super) const EAGER_GLOBAL_ORDINALS: Parameter = Parameter::new(
    "eager_global_ordinals",
    Boolean,
    "Whether the tables for aggregations are built at refresh, rather than by the first search; default false",
).updateable();
pub(super) const SPLIT_QUERIES_ON_WHITESPACE: Parameter = Parameter::new(
    "split_queries_on_whitespace",
    Boolean,
    "Whether a full-text query is split into words; default false",
)
.updateable();

/// `index_options` of text in terms.
pub(super) const TEXT_INDEX_OPTIONS: Parameter = Parameter::new(
    "index_options",
    OneOf(&["docs", "freqs", "positions", "offsets"]),
    "What is kept of each term; default positions",
);
/// `index_options` of exact strings.
pub(super) const KEYWORD_INDEX_OPTIONS: Parameter =
    Parameter::new("index_options", OneOf(&["docs", "freqs"]), "What is kept of each term; default docs");
pub(super) const TERM_VECTOR: Parameter = Parameter::new(
    "term_vector",
    OneOf(&[
        "no",
        "yes",
        "with_positions",
        "with_offsets",
        "with_positions_offsets",
        "with_positions_payloads",
        "with_positions_offsets_payloads",
    ]),
    "Which term vectors are stored, for fast highlighting; default no",
);

pub(super) const ANALYZER: Parameter =
    Parameter::new("analyzer", Analyzer, "Splits the text into terms, for indexing and for searching");
pub(super) const SEARCH_ANALYZER: Parameter = Parameter::new(
    "search_analyzer",
    Analyzer,
    "Splits the query into terms, where that differs from indexing",
)
.updateable();
pub(super) const SEARCH_QUOTE_ANALYZER: Parameter =
    Parameter::new("search_quote_analyzer", Analyzer, "Splits a phrase in a query into terms").updateable();
pub(super) const POSITION_INCREMENT_GAP: Parameter = Parameter::new(
    "position_increment_gap",
    ValueKind::COUNT,
    "The distance between the values of a list, for phrase queries; default 100",
);

pub(super) const FORMAT: Parameter =
    Parameter::new("format", DateFormat, "The date formats that are read, the first of which is written");
pub(super) const LOCALE: Parameter =
    Parameter::new("locale", Text, "The locale of month and day names, such as `de-DE`");

/// The precomputed blocks that let range queries skip documents.
pub(super) const fn skip_list(major: u16, minor: u16) -> Parameter {
    Parameter::new("skip_list", Boolean, "Whether range queries may skip blocks of documents")
        .opensearch(major, minor)
}

pub(super) const IGNORE_Z_VALUE: Parameter = Parameter::new(
    "ignore_z_value",
    Boolean,
    "Whether a third coordinate is left out, rather than the document rejected; default true",
)
.updateable();
pub(super) const ORIENTATION: Parameter = Parameter::new(
    "orientation",
    OneOf(&[
        "right",
        "counterclockwise",
        "ccw",
        "left",
        "clockwise",
        "cw",
        "RIGHT",
        "COUNTERCLOCKWISE",
        "CCW",
        "LEFT",
        "CLOCKWISE",
        "CW",
    ]),
    "The order of the corners of a polygon; default right, which is counterclockwise",
)
.updateable();

pub(super) const DYNAMIC: Parameter = Parameter::new(
    "dynamic",
    BooleanOr(&["strict", "runtime", "strict_allow_templates", "false_allow_templates"]),
    "What happens to members that the mapping does not name: mapped, left unindexed, or rejected",
)
.updateable()
.limited(&[
    ("runtime", Availability::elasticsearch(7, 11)),
    ("strict_allow_templates", Availability::opensearch(2, 16)),
    ("false_allow_templates", Availability::opensearch(3, 3)),
]);
pub(super) const ENABLED: Parameter =
    Parameter::new("enabled", Boolean, "Whether the members are read at all; default true");
pub(super) const PROPERTIES: Parameter = Parameter::new("properties", Properties, "The fields of the object");
pub(super) const SUBOBJECTS: Parameter =
    Parameter::new("subobjects", Boolean, "Whether a dot in a name makes an object; default true")
        .elasticsearch(8, 3);
pub(super) const DISABLE_OBJECTS: Parameter =
    Parameter::new("disable_objects", Boolean, "Whether names with dots stay flat; default false")
        .opensearch(3, 5);
