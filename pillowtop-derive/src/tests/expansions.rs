//! Expansions as snapshots, with their input beside them.

use super::{expand, messages};

/// Every form of a field that a snapshot should show, in a pillow with everything.
const CASE: &str = r#"
#[couch(doc_type = ["CommCareCase", "Case"], deleted = "CommCareCase-Deleted", database = "commcarehq", doc_type_is_immutable)]
#[es(dynamic = strict, date_detection = true)]
#[pillow(
    name = "case",
    alias = "hqcases",
    filter = self.domain != "demo" && self.case_type.is_some(),
    transform = CaseIndex::from_case,
    transform_version = 2,
)]
pub struct Case {
    #[serde(rename = "_id")]
    pub id: String,
    pub domain: String,
    #[serde(rename = "type")]
    #[es(text, analyzer = "comma", fields(exact(keyword, ignore_above = 256)))]
    pub case_type: Option<String>,
    #[es(nested, dynamic = false)]
    pub actions: Vec<CaseAction>,
    #[serde(flatten)]
    pub owner: Owner,
    #[es(skip)]
    pub export_tag: Vec<String>,
}
"#;

#[test]
fn a_pillow_with_everything() {
    insta::with_settings!({description => CASE, omit_expression => true}, {
        insta::assert_snapshot!(expand(CASE));
    });
}

#[test]
fn a_generic_part() {
    let input = "struct Versioned<T: Clone> { value: Vec<T>, #[es(nested)] history: Vec<Entry<T>>, at: i64 }";
    insta::with_settings!({description => input, omit_expression => true}, {
        insta::assert_snapshot!(expand(input));
    });
}

#[test]
fn an_enum_and_a_newtype() {
    let input = "#[serde(rename_all = \"snake_case\")] enum Kind { Person, Household }";
    insta::with_settings!({description => input, omit_expression => true}, {
        insta::assert_snapshot!("enum", expand(input));
    });
    let input = "struct CaseId(#[es(keyword, normalizer = \"lower\")] String);";
    insta::with_settings!({description => input, omit_expression => true}, {
        insta::assert_snapshot!("newtype", expand(input));
    });
}

/// What users' builds pay for: both derives of a struct with ten fields.
#[test]
fn ten_fields_stay_within_the_budget() {
    let code = expand(
        r#"
        #[couch(doc_type = "CommCareCase", database = "commcarehq", unknown = carry)]
        #[pillow(name = "case", alias = "hqcases", filter = self.domain != "demo" && self.case_type.is_some())]
        pub struct Case {
            pub domain: String,
            #[es(text, analyzer = "comma", fields(exact(keyword)))]
            pub case_type: Option<String>,
            pub opened_on: DateTime<Utc>,
            #[es(nested)]
            pub actions: Vec<CaseAction>,
            pub owner_id: String,
            pub user_id: String,
            pub closed: bool,
            pub modified_on: Option<DateTime<Utc>>,
            pub indices: Vec<CaseIndices>,
            #[es(skip)]
            pub export_tag: Vec<String>,
        }"#,
    );
    let (lines, bytes) = (code.lines().count(), code.len());
    assert!(lines <= 120, "{lines} lines");
    // Indentation is not a cost of a build.
    let written: usize = code.lines().map(|line| line.trim_start().len() + 1).sum();
    assert!(written <= 6 * 1024, "{written} of {bytes} bytes");
}

#[test]
fn all_errors_of_a_struct_are_reported_at_once() {
    let found = messages(
        r#"
        #[couch(doc_typ = "X", database = "Big")]
        #[pillow(name = "Case", alias = "a b", filter = self.missing == 1 && self.n + 1 > 2, colour = 3)]
        struct Case { #[es(keywrod)] a: String, #[es(keyword, ignore_abov = 3)] n: String, c: HashMap<String, u8> }
        "#,
    );
    for part in [
        "did you mean `doc_type`?",
        "`Big`",
        "did you mean `keyword`?",
        "did you mean `ignore_above`?",
        "a map has no default mapping",
        "`#[pillow(…)]` has no item `colour`",
        "the name `Case`",
        "the alias `a b`",
    ] {
        assert!(found.iter().any(|message| message.contains(part)), "{part}: {found:#?}");
    }
    assert!(found.iter().all(|message| message.contains("\nhelp: ")), "{found:#?}");
}

/// Analyzers that the compiler finds undefined are tested with the messages; what the file itself
/// says, the derive sees.
#[test]
fn a_settings_file_is_read_through() {
    let directory = tempfile::tempdir().unwrap();
    let text =
        r#"{"analysis": {"analyzer": {"exact": {"tokenizer": "keywrod", "filter": ["lowercase", "own"]}}}}"#;
    fs_err::write(directory.path().join("broken.json"), text).unwrap();
    let struct_text = "#[couch(doc_type = \"A\")] #[pillow(name = \"a\", alias = \"as\", settings = \"broken.json\")] struct A { a: String }";
    let found = super::messages_in(struct_text, &crate::committed::Crate::at(directory.path().to_owned()));
    assert_eq!(
        found,
        [
            "in the pillow's `broken.json`, `analysis.analyzer.exact` names the tokenizer `keywrod`, which is neither defined nor built in, did you mean `keyword`?\nhelp: define it under `analysis.tokenizer`, or correct the name",
            "in the pillow's `broken.json`, `analysis.analyzer.exact` names the filter `own`, which is neither defined nor built in\nhelp: define it under `analysis.filter`, or correct the name",
        ]
    );
}

/// A field that asks for nothing costs nothing.
#[test]
fn demands_are_written_where_there_are_any() {
    let code = expand("struct A { #[es(keyword)] a: String, #[es(text, analyzer = \"english\")] b: String }");
    assert!(!code.contains("requiring"), "{code}");
    let code = expand("struct A { #[es(text, analyzer = \"own\", fields(w(wildcard)))] a: String }");
    assert_eq!(code.matches("Requirement::").count(), 2, "{code}");
}

#[test]
fn no_input_makes_a_derive_panic() {
    for text in [
        "struct A;",
        "struct A();",
        "struct A(u8, u8);",
        "struct A {}",
        "enum A {}",
        "union A { a: u8 }",
        "#[couch] #[es] #[pillow] struct A { a: u8 }",
        "#[couch()] #[es()] #[pillow()] struct A { a: u8 }",
        "#[couch(= 1)] #[es(3, , text = )] #[pillow(name)] struct A { a: u8 }",
        "#[es(text(text(text = [a(b = 1), (c = 2), -3])))] struct A<'a, T, const N: usize> { a: &'a [T; N] }",
        "#[pillow(name = \"a\", alias = \"b\", filter = self)] struct A(u8);",
        "#[pillow(name = \"a\", alias = \"b\", filter = self.0 == 1 || -self.a)] struct A { r#type: Self }",
        "#[serde(rename_all = 3, tag = \"a\", into)] struct A { #[serde(rename = \"\")] a: (), #[es(json = \"[\")] b: dyn C }",
    ] {
        // Whatever is wrong is reported in the code, not by a panic.
        let _code = expand(text);
    }
}
