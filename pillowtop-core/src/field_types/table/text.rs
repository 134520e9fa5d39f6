//! Text and exact text.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::FieldType;
use crate::field_types::parameter::Parameter;
use crate::field_types::parameter::ValueKind::{self, Boolean, False, Integer, Members, Number, OneOf, Text};
use crate::field_types::shared::{
    ANALYZER, BOOSTED, COMMON, COMMON_IN_ELASTICSEARCH, DIMENSION, DOC_VALUES, EAGER_GLOBAL_ORDINALS,
    IGNORE_ABOVE, INDEX, KEYWORD_INDEX_OPTIONS, NORMALIZER, NORMS, NULL_TEXT, POSITION_INCREMENT_GAP,
    SCRIPTED, SEARCH_ANALYZER, SEARCH_QUOTE_ANALYZER, SIMILARITY, SPLIT_QUERIES_ON_WHITESPACE, STORAGE,
    STORE, TERM_VECTOR, TEXT_INDEX_OPTIONS,
};

const ANALYZED: &[Parameter] = &[
    ANALYZER,
    SEARCH_ANALYZER,
    SEARCH_QUOTE_ANALYZER,
    INDEX,
    STORE,
    TEXT_INDEX_OPTIONS,
    NORMS,
    SIMILARITY,
    TERM_VECTOR,
];

const PREFIX_LENGTHS: &[Parameter] = &[
    Parameter::new("min_chars", Integer { minimum: 1, maximum: 19 }, "The shortest prefix; default 2"),
    Parameter::new("max_chars", Integer { minimum: 1, maximum: 19 }, "The longest prefix; default 5"),
];

const FREQUENCY_FILTER: &[Parameter] = &[
    Parameter::new("min", Number, "The fewest documents of a term, a share up to 1 or a count"),
    Parameter::new("max", Number, "The most documents of a term, a share up to 1 or a count"),
    Parameter::new("min_segment_size", ValueKind::COUNT, "Smaller segments are not loaded"),
];

const FIELDDATA: &[Parameter] = &[
    EAGER_GLOBAL_ORDINALS,
    Parameter::new(
        "fielddata",
        Boolean,
        "Whether terms are loaded into memory for sorting and aggregations; default false",
    )
    .updateable(),
    Parameter::new(
        "fielddata_frequency_filter",
        Members(FREQUENCY_FILTER),
        "Which terms are loaded into memory",
    )
    .updateable(),
    POSITION_INCREMENT_GAP,
];

const FULL_TEXT: &[Parameter] = &[
    Parameter::new(
        "index_phrases",
        Boolean,
        "Whether pairs of words are indexed, for fast phrases; default false",
    ),
    Parameter::new(
        "index_prefixes",
        Members(PREFIX_LENGTHS),
        "Which prefixes of terms are indexed, for fast prefix queries",
    )
    .nullable(),
];

const EXACT: &[Parameter] = &[
    IGNORE_ABOVE,
    NORMALIZER,
    NULL_TEXT,
    NORMS,
    SIMILARITY,
    KEYWORD_INDEX_OPTIONS,
    EAGER_GLOBAL_ORDINALS,
    SPLIT_QUERIES_ON_WHITESPACE,
    Parameter::new("use_similarity", Boolean, "Whether term queries are scored; default false")
        .updateable()
        .opensearch(3, 0),
];

const WILDCARD: &[Parameter] =
    &[IGNORE_ABOVE, NULL_TEXT, NORMALIZER.opensearch(2, 15), DOC_VALUES.opensearch(2, 15)];

/// Elasticsearch fixes all of this for `match_only_text`; `OpenSearch` takes what `text` takes.
const MATCH_ONLY: &[Parameter] = &[
    ANALYZER.opensearch(2, 12),
    SEARCH_ANALYZER.opensearch(2, 12),
    SEARCH_QUOTE_ANALYZER.opensearch(2, 12),
    INDEX.opensearch(2, 12),
    STORE.opensearch(2, 12),
    SIMILARITY.opensearch(2, 12),
    TERM_VECTOR.opensearch(2, 12),
    POSITION_INCREMENT_GAP.opensearch(2, 12),
    EAGER_GLOBAL_ORDINALS.opensearch(2, 12),
    Parameter::new(
        "fielddata",
        Boolean,
        "Whether terms are loaded into memory for sorting and aggregations; default false",
    )
    .updateable()
    .opensearch(2, 12),
    Parameter::new(
        "fielddata_frequency_filter",
        Members(FREQUENCY_FILTER),
        "Which terms are loaded into memory",
    )
    .updateable()
    .opensearch(2, 12),
    Parameter::new("boost", Number, "Weight in the relevance score").updateable().opensearch(2, 12),
];

const CONSTANT: &[Parameter] = &[
    // OpenSearch rejects the type without it; Elasticsearch takes the first document's.
    Parameter::new("value", Text, "The value of every document; OpenSearch requires it"),
];

const SEARCH_AS_YOU_TYPE: &[Parameter] = &[
    Parameter::new(
        "max_shingle_size",
        Integer { minimum: 2, maximum: 4 },
        "The most words indexed as one; default 3",
    ),
    Parameter::new("doc_values", False, "Only its default, false, is accepted"),
];

const PATTERN_TEXT: &[Parameter] = &[
    ANALYZER,
    Parameter::new("index_options", OneOf(&["docs", "positions"]), "What is kept of each term; default docs"),
];

const COLLATION: &[Parameter] = &[
    Parameter::new("language", Text, "The language, such as `de`"),
    Parameter::new("country", Text, "The country, such as `DE`"),
    Parameter::new("variant", Text, "The variant, such as `@collation=phonebook`"),
    Parameter::new("rules", Text, "Collation rules of one's own, or their resource"),
    Parameter::new(
        "strength",
        OneOf(&["primary", "secondary", "tertiary", "quaternary", "identical"]),
        "Which differences count; default tertiary",
    ),
    Parameter::new("decomposition", OneOf(&["no", "canonical"]), "Whether text is decomposed; default no"),
    Parameter::new("alternate", OneOf(&["shifted", "non-ignorable"]), "Whether punctuation counts"),
    Parameter::new("case_level", Boolean, "Whether case counts at primary strength; default false"),
    Parameter::new("case_first", OneOf(&["lower", "upper"]), "Which case sorts first"),
    Parameter::new("numeric", Boolean, "Whether digits sort as numbers; default false"),
    Parameter::new("variable_top", Text, "Which characters `alternate` means"),
    Parameter::new("hiragana_quaternary_mode", Boolean, "Whether Katakana and Hiragana differ"),
    IGNORE_ABOVE,
    NULL_TEXT,
    NORMS,
    KEYWORD_INDEX_OPTIONS,
];

const COUNTED: &[Parameter] = &[INDEX];

/// The text family.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf(
        "text",
        "Full text, split into terms",
        &[ANALYZED, FIELDDATA, FULL_TEXT, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "match_only_text",
        "Full text without scores and positions, for logs",
        &[MATCH_ONLY, COMMON],
    )
    .available(Availability::both((7, 14), (2, 12))),
    FieldType::leaf(
        "keyword",
        "Exact text: ids, codes, tags",
        &[STORAGE, EXACT, SCRIPTED, DIMENSION, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "constant_keyword",
        "One text for all documents of the index",
        &[CONSTANT, COMMON_IN_ELASTICSEARCH],
    )
    .available(Availability::both((7, 7), (2, 14))),
    FieldType::leaf(
        "wildcard",
        "Exact text for searches with wildcards and regular expressions",
        &[WILDCARD, COMMON],
    )
    .available(Availability::both((7, 9), (2, 15))),
    FieldType::leaf(
        "counted_keyword",
        "Exact text, with how often each occurs in a document",
        &[COUNTED, COMMON],
    )
    .available(Availability::elasticsearch(8, 13))
    .not_in_multi_fields(),
    FieldType::leaf(
        "search_as_you_type",
        "Full text for completion while typing",
        &[ANALYZED, SEARCH_AS_YOU_TYPE, COMMON],
    )
    .available(Availability::both((7, 2), (1, 0))),
    FieldType::leaf(
        "annotated_text",
        "Full text with marked entities",
        &[ANALYZED, &[POSITION_INCREMENT_GAP], BOOSTED, COMMON],
    )
    .plugin("mapper-annotated-text"),
    FieldType::leaf(
        "pattern_text",
        "Log messages, split into template and arguments",
        &[PATTERN_TEXT, COMMON],
    )
    .available(Availability::elasticsearch(9, 2)),
    FieldType::leaf(
        "icu_collation_keyword",
        "Exact text that sorts as a language does",
        &[COLLATION, STORAGE, COMMON],
    )
    .plugin("analysis-icu"),
];
