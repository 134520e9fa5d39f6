//! Vectors, features for ranking, and fields that a model fills.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::{Counterpart, FieldType};
use crate::field_types::parameter::Parameter;
use crate::field_types::parameter::ValueKind::{
    self, Boolean, BooleanOrObjects, Integer, Members, NumberBetween, Object, OneOf, Text,
};
use crate::field_types::shared::{
    ANALYZER, COMMON, COMMON_IN_OPENSEARCH, DOC_VALUES, EAGER_GLOBAL_ORDINALS, IGNORE_ABOVE, INDEX, META,
    NORMALIZER, NORMS, NULL_TEXT, SEARCH_ANALYZER, SIMILARITY, STORE,
};

const RESCORE: &[Parameter] = &[Parameter::new(
    "oversample",
    NumberBetween { minimum: 0.0, maximum: 10.0 },
    "How many times as many vectors are scored again; 0 for none",
)
.required()];

const SHARE: ValueKind = NumberBetween { minimum: 0.0, maximum: 1.0 };

const DENSE_INDEX: &[Parameter] = &[
    Parameter::new(
        "type",
        OneOf(&[
            "hnsw",
            "int8_hnsw",
            "int4_hnsw",
            "bbq_hnsw",
            "flat",
            "int8_flat",
            "int4_flat",
            "bbq_flat",
            "bbq_disk",
        ]),
        "The index structure",
    )
    .required()
    .limited(&[
        ("int8_hnsw", Availability::elasticsearch(8, 12)),
        ("flat", Availability::elasticsearch(8, 13)),
        ("int8_flat", Availability::elasticsearch(8, 13)),
        ("int4_hnsw", Availability::elasticsearch(8, 15)),
        ("int4_flat", Availability::elasticsearch(8, 15)),
        ("bbq_hnsw", Availability::elasticsearch(8, 16)),
        ("bbq_flat", Availability::elasticsearch(8, 16)),
        ("bbq_disk", Availability::elasticsearch(9, 2)),
    ]),
    Parameter::new(
        "m",
        Integer { minimum: 1, maximum: 512 },
        "Neighbours of each node of the graph; default 16",
    ),
    Parameter::new(
        "ef_construction",
        Integer { minimum: 1, maximum: 3200 },
        "Candidates for each new node; default 100",
    ),
    Parameter::new("confidence_interval", SHARE, "Which share of the values quantization covers")
        .elasticsearch(8, 12),
    Parameter::new("rescore_vector", Members(RESCORE), "Scoring again with the original vectors")
        .elasticsearch(8, 18),
    Parameter::new("on_disk_rescore", Boolean, "Whether the original vectors are read from disk")
        .elasticsearch(9, 3),
    Parameter::new(
        "flat_index_threshold",
        Integer { minimum: -1, maximum: i32::MAX as i128 },
        "Smaller segments get no graph; default -1",
    )
    .elasticsearch(9, 4),
    Parameter::new(
        "cluster_size",
        Integer { minimum: 64, maximum: 65_536 },
        "Vectors of a cluster; default 384",
    )
    .elasticsearch(9, 2),
    Parameter::new(
        "default_visit_percentage",
        NumberBetween { minimum: 0.0, maximum: 100.0 },
        "The share of clusters visited; default 0",
    )
    .elasticsearch(9, 2),
    Parameter::new(
        "bits",
        Integer { minimum: 1, maximum: 7 },
        "Bits of a dimension: 1, 2, 4 or 7; default 1",
    )
    .elasticsearch(9, 4),
    Parameter::new("precondition", Boolean, "Whether vectors are rotated before quantization; default false")
        .elasticsearch(9, 4),
    Parameter::new("auto_calibrate", Boolean, "Whether each segment chooses its quantization; default false")
        .elasticsearch(9, 5),
];

const ELEMENT_TYPE: Parameter = Parameter::new(
    "element_type",
    OneOf(&["float", "byte", "bit", "bfloat16"]),
    "How each number is kept; default float",
)
.limited(&[("bit", Availability::elasticsearch(8, 15)), ("bfloat16", Availability::elasticsearch(9, 3))]);

/// A dimension limit of 4096 is that of 8.11; `bit` vectors count bits.
const DIMS: Parameter = Parameter::new(
    "dims",
    Integer { minimum: 1, maximum: 4096 },
    "The count of numbers of a vector; required before Elasticsearch 8.11",
);

const DENSE: &[Parameter] = &[
    DIMS,
    ELEMENT_TYPE.elasticsearch(8, 6),
    INDEX.elasticsearch(8, 0),
    Parameter::new(
        "similarity",
        OneOf(&["cosine", "dot_product", "l2_norm", "max_inner_product"]),
        "How near two vectors are; default cosine",
    )
    .nullable()
    .elasticsearch(8, 0)
    .limited(&[("max_inner_product", Availability::elasticsearch(8, 11))]),
    Parameter::new("index_options", Members(DENSE_INDEX), "How the vectors are indexed")
        .nullable()
        .elasticsearch(8, 0),
    META,
];

const RANK_VECTORS: &[Parameter] = &[DIMS, ELEMENT_TYPE, META];

const KNN: &[Parameter] = &[
    Parameter::new(
        "dimension",
        Integer { minimum: 1, maximum: 16_000 },
        "The count of numbers of a vector; required without a model",
    ),
    Parameter::new("method", Object, "The algorithm: `name`, `engine`, `space_type` and `parameters`"),
    Parameter::new("model_id", Text, "The trained model that decides the algorithm"),
    Parameter::new(
        "space_type",
        OneOf(&["l1", "l2", "linf", "cosinesimil", "innerproduct", "hamming", "hammingbit"]),
        "How near two vectors are; default l2",
    )
    .opensearch(2, 17),
    Parameter::new(
        "data_type",
        OneOf(&["float", "byte", "binary"]),
        "How each number is kept; default float",
    )
    .opensearch(2, 9)
    .limited(&[("binary", Availability::opensearch(2, 16))]),
    Parameter::new(
        "mode",
        OneOf(&["in_memory", "on_disk"]),
        "Whether speed or memory counts; default in_memory",
    )
    .opensearch(2, 17),
    Parameter::new(
        "compression_level",
        OneOf(&["1x", "2x", "4x", "8x", "16x", "32x"]),
        "How much smaller vectors are kept",
    )
    .opensearch(2, 17),
    STORE,
    DOC_VALUES,
];

const PRUNING: &[Parameter] = &[
    Parameter::new(
        "tokens_freq_ratio_threshold",
        Integer { minimum: 1, maximum: 100 },
        "From how many times the average a token is common; default 5",
    ),
    Parameter::new("tokens_weight_threshold", SHARE, "Below which weight a token counts little; default 0.4"),
];

const SPARSE_INDEX: &[Parameter] = &[
    Parameter::new("prune", Boolean, "Whether queries leave out tokens that count little; default true"),
    Parameter::new("pruning_config", Members(PRUNING), "Which tokens count little"),
];

const SPARSE: &[Parameter] = &[
    STORE.elasticsearch(8, 15),
    Parameter::new("index_options", Members(SPARSE_INDEX), "Which tokens queries leave out")
        .nullable()
        .elasticsearch(8, 19),
    Parameter::new("method", Object, "The algorithm: `name` and `parameters`").opensearch(3, 3),
    META,
];

const POSITIVE: Parameter = Parameter::new(
    "positive_score_impact",
    Boolean,
    "Whether a higher value means a higher score; default true",
);

const FEATURE: &[Parameter] = &[POSITIVE];
const FEATURES: &[Parameter] = &[POSITIVE.available(Availability::both((7, 13), (2, 1)))];

const INFERENCE: &[Parameter] = &[
    Parameter::new("inference_id", Text, "The inference endpoint that makes the embeddings")
        .elasticsearch(8, 15),
    Parameter::new("search_inference_id", Text, "The inference endpoint for queries")
        .nullable()
        .elasticsearch(8, 16),
    Parameter::new("chunking_settings", Object, "How long text is cut").nullable().elasticsearch(8, 19),
    Parameter::new("index_options", Object, "How the embeddings are indexed").nullable().elasticsearch(8, 19),
    // The server adds this to the mapping when the first document comes.
    Parameter::new("model_settings", Object, "What the endpoint's model is; set by the server")
        .nullable()
        .elasticsearch(8, 15),
];

/// `OpenSearch`'s `semantic` takes what the wrapped type takes, hence the parameters of text and
/// keyword at the end.
const SEMANTIC: &[Parameter] = &[
    Parameter::new("model_id", Text, "The model that makes the embeddings; required by OpenSearch")
        .opensearch(3, 1),
    Parameter::new("search_model_id", Text, "The model for queries").opensearch(3, 1),
    Parameter::new(
        "raw_field_type",
        OneOf(&["text", "keyword", "match_only_text", "wildcard", "token_count", "binary"]),
        "The type of the field itself; default text",
    )
    .opensearch(3, 1),
    Parameter::new("semantic_info_field_name", Text, "The name of the field that holds the embeddings")
        .opensearch(3, 1),
    Parameter::new("chunking", BooleanOrObjects, "How long text is cut; default false").opensearch(3, 1),
    Parameter::new(
        "semantic_field_search_analyzer",
        OneOf(&["standard", "bert-uncased", "mbert-uncased"]),
        "Splits queries for a sparse model",
    )
    .opensearch(3, 1),
    Parameter::new("dense_embedding_config", Object, "Parameters of the underlying `knn_vector`")
        .opensearch(3, 2),
    Parameter::new("sparse_encoding_config", Object, "How tokens are pruned").opensearch(3, 2),
    Parameter::new(
        "skip_existing_embedding",
        Boolean,
        "Whether an unchanged text keeps its embedding; default false",
    )
    .opensearch(3, 2),
    ANALYZER.opensearch(3, 1),
    SEARCH_ANALYZER.opensearch(3, 1),
    INDEX.opensearch(3, 1),
    STORE.opensearch(3, 1),
    DOC_VALUES.opensearch(3, 1),
    NORMS.opensearch(3, 1),
    SIMILARITY.opensearch(3, 1),
    IGNORE_ABOVE.opensearch(3, 1),
    NORMALIZER.opensearch(3, 1),
    NULL_TEXT.opensearch(3, 1),
    EAGER_GLOBAL_ORDINALS.opensearch(3, 1),
];

/// Vectors, features, and fields that a model fills.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf("dense_vector", "A vector for nearest-neighbour search", &[DENSE, COMMON])
        .available(Availability::elasticsearch(7, 0))
        .counterpart(Counterpart::Similar("knn_vector"))
        .not_in_multi_fields(),
    FieldType::leaf("knn_vector", "A vector for nearest-neighbour search", &[KNN, COMMON_IN_OPENSEARCH])
        .available(Availability::opensearch(1, 0))
        .counterpart(Counterpart::Similar("dense_vector")),
    FieldType::leaf("rank_vectors", "Several vectors, for late-interaction models", &[RANK_VECTORS, COMMON])
        .available(Availability::elasticsearch(8, 18))
        .not_in_multi_fields(),
    FieldType::leaf("sparse_vector", "Tokens with weights, as sparse models make them", &[SPARSE, COMMON])
        .available(Availability::both((8, 11), (3, 3)))
        .not_in_multi_fields(),
    FieldType::leaf("rank_feature", "A number that raises or lowers the score", &[FEATURE, COMMON]),
    FieldType::leaf("rank_features", "Named numbers that raise or lower the score", &[FEATURES, COMMON])
        .not_in_multi_fields(),
    FieldType::leaf("semantic_text", "Text with embeddings from an inference endpoint", &[INFERENCE, COMMON])
        .available(Availability::elasticsearch(8, 15))
        .counterpart(Counterpart::Similar("semantic"))
        .not_in_multi_fields(),
    FieldType::leaf("semantic", "A value with embeddings from a model", &[SEMANTIC, INFERENCE, COMMON])
        .available(Availability::both((9, 5), (3, 1)))
        .not_in_multi_fields(),
];
