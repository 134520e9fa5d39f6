//! Every message of the derives, as a user sees it. `TRYBUILD=overwrite` writes them anew.

#[test]
fn messages_are_as_written() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/*.rs");
}
