//! Seven of CommCare HQ's pillows, as a user of pillowtop writes them, with their mappings, filters
//! and transforms: cases, forms, users, projects, groups, applications, and cases once more for
//! searches by any property. [`samples`] tells a small clinic's story in documents of these types.
//!
//! HQ began with all of them in the one database `commcarehq`, and so they are here: the seven
//! share one feed. It moved users, groups, projects and applications to databases of their own
//! later; then `database = "…"` at their structs says which.

pub mod rules;
pub mod value;

pub mod case;
pub mod form;
pub mod group;
pub mod user;

pub mod app;
pub mod case_search;
pub mod domain;

pub mod fluff;
pub mod indicators;

pub mod samples;

pub use app::Application;
pub use case::Case;
pub use case_search::SearchableCase;
pub use domain::Domain;
pub use form::Form;
pub use group::Group;
use pillowtop::Registry;
pub use rules::rules;
pub use user::User;

/// The tables of this crate.
pub fn tables() -> Registry {
    Registry::new()
        .with_pillow(pillowtop_fluff::pillow::<fluff::CaseVisits>())
        .with_pillow(pillowtop_fluff::pillow::<fluff::Submissions>())
}

/// Every pillow of this crate with an index.
pub fn registry() -> Registry {
    pillowtop::registry![Case, Form, User, Domain, Group, Application, SearchableCase]
}
