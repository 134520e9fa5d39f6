//! Three of CommCare HQ's pillows, as a user of pillowtop writes them: cases, forms and users, with their mappings, filters and
//! transforms. [`samples`] tells a small clinic's story in documents of these types.

pub mod value;

pub mod case;
pub mod form;
pub mod user;

pub mod samples;

pub use case::Case;
pub use form::Form;
use pillowtop::Registry;
pub use user::User;

/// Every pillow of this crate.
pub fn registry() -> Registry {
    pillowtop::registry![Case, Form, User]
}
