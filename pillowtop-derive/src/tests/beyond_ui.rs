//! Messages that no ui test can show: what cargo rules out, and bugs of this crate.

use std::panic::catch_unwind;

use crate::document;
use crate::errors::Errors;
use crate::facade::Facade;
use crate::rules::Rules;

#[test]
fn without_cargo_the_crate_is_not_known() {
    let input = syn::parse_str(
        "#[couch(doc_type = \"Case\")] #[pillow(name = \"case\", alias = \"cases\")] struct Case { domain: String }",
    )
    .unwrap();
    let code = crate::pillow::derive(&input, &Facade::default(), None).to_string();
    assert!(
        code.contains("the crate's directory is not known (`CARGO_MANIFEST_DIR`)\\nhelp: build with cargo"),
        "{code}"
    );
    assert!(
        !document::derive(&Rules::default(), &Facade::default(), &input)
            .to_string()
            .contains("compile_error")
    );
}

/// The compiler reports an attribute that it does not know. One that it knows, of another derive,
/// makes no pillow all the same.
#[test]
fn a_slip_that_the_compiler_takes_makes_no_pillow() {
    for attributes in [
        "#[couchdb(doc_type = \"Case\")] #[pillow(name = \"case\", alias = \"cases\")]",
        "#[couch(doc_type = \"Case\")] #[pilow(name = \"case\", alias = \"cases\")]",
    ] {
        let input = syn::parse_str(&format!("{attributes} struct Case {{ domain: String }}")).unwrap();
        let code = crate::pillow::derive(&input, &Facade::default(), Some(&super::nowhere())).to_string();
        let panic = "panic ! (\"`Case` has no `#[couch(…)]` or no `#[pillow(…)]`, but an attribute of nearly that name";
        assert!(code.contains(panic) && !code.contains("compile_error"), "{code}");
        let help = "\\nhelp: write `#[couch(…)]` and `#[pillow(…)]` letter by letter";
        assert!(code.contains(help), "{code}");
    }
}

#[test]
fn a_panic_asks_for_a_report() {
    let code = crate::report(&"out of bounds").to_string();
    let expected = "pillowtop's derive panicked, which is a bug: out of bounds\\nhelp: please report it with this struct";
    assert!(code.contains(expected), "{code}");
    assert!(crate::report(&3).to_string().contains("which is a bug: without a message"));
}

#[test]
fn errors_that_nobody_finished_are_a_bug() {
    let panic = catch_unwind(|| drop(Errors::new())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the errors of a struct were not finished"));
}
