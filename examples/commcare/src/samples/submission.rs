//! What a phone sends: who, when and with which form.

use super::generator::{Generator, Moment};
use super::people::Worker;

/// One form as a phone sends it.
#[derive(Debug, Clone)]
pub(super) struct Submission<'a> {
    pub(super) id: String,
    pub(super) worker: &'a Worker,
    pub(super) now: Moment,
    pub(super) name: &'static str,
    pub(super) xmlns: &'static str,
}

/// Name and namespace.
const REGISTRATION: [&str; 2] =
    ["Registration | पंजीकरण", "http://openrosa.org/formdesigner/riverside-registration"];
const VISIT: [&str; 2] = ["Home visit | زيارة منزلية", "http://openrosa.org/formdesigner/riverside-visit"];
const CLOSING: [&str; 2] = ["Close | বন্ধ", "http://openrosa.org/formdesigner/riverside-close"];

impl<'a> Submission<'a> {
    pub(super) fn registration(generator: &mut Generator, worker: &'a Worker, now: Moment) -> Self {
        Self::new(generator, worker, now, REGISTRATION)
    }

    pub(super) fn visit(generator: &mut Generator, worker: &'a Worker, now: Moment) -> Self {
        Self::new(generator, worker, now, VISIT)
    }

    pub(super) fn closing(generator: &mut Generator, worker: &'a Worker, now: Moment) -> Self {
        Self::new(generator, worker, now, CLOSING)
    }

    fn new(
        generator: &mut Generator,
        worker: &'a Worker,
        now: Moment,
        [name, xmlns]: [&'static str; 2],
    ) -> Self {
        Self { id: generator.uuid(), worker, now, name, xmlns }
    }
}
