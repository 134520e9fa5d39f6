//! The ceiling: reading the struct and writing what is indexed through serde alone. No filters, no
//! operations, no bulk body.

use commcare::case::CaseIndex;
use commcare::form::FormIndex;
use commcare::{Case, Form};
use pillowtop::ChangeMeta;
use serde::Serialize;

use crate::corpus::Corpus;

/// All documents of the feed; returns the bytes that were written.
pub(crate) fn run(corpus: &Corpus) -> usize {
    let change = ChangeMeta::new("id".into(), "3-0".into(), "commcarehq".into());
    let (mut source, mut written) = (Vec::new(), 0);
    for document in corpus.bodies() {
        source.clear();
        let done = if corpus.shape.is_case() {
            let case: Option<Case<'_>> = serde_json::from_str(document).ok();
            write(&mut source, case.and_then(|case| CaseIndex::from_case(case, &change)))
        } else {
            let form: Option<Form<'_>> = serde_json::from_str(document).ok();
            write(&mut source, form.and_then(|form| FormIndex::from_form(form, &change)))
        };
        written += if done.is_some() { source.len() } else { 0 };
    }
    written
}

fn write(source: &mut Vec<u8>, indexed: Option<impl Serialize>) -> Option<()> {
    serde_json::to_writer(source, &indexed?).ok()
}
