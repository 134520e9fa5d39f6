//! One service in four releases, as a team deploys them one after the other. The variable `RELEASE`
//! chooses which one this process is. The end-to-end tests of deploys run it as a user does.
//!
//! | release | its mapping beside the one before |
//! |---|---|
//! | 1 | |
//! | 2 | a field more: additive |
//! | 3 | another type of a field: needs a reindex |
//! | 4 | a field less: breaking |

use std::process::ExitCode;

mod first {
    use pillowtop::{CouchDocument, Pillow};
    use serde::{Deserialize, Serialize};

    /// A visit of a household.
    #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
    #[couch(doc_type = "Visit", database = "commcarehq")]
    #[pillow(name = "visit", alias = "visits", filter = self.place != "nowhere", mapping = unchecked)]
    pub(crate) struct Visit {
        #[es(integer)]
        number: i32,
        #[es(long)]
        written: i64,
        #[es(keyword)]
        place: String,
    }
}

mod second {
    use pillowtop::{CouchDocument, Pillow};
    use serde::{Deserialize, Serialize};

    /// A visit of a household, by ward.
    #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
    #[couch(doc_type = "Visit", database = "commcarehq")]
    #[pillow(name = "visit", alias = "visits", filter = self.place != "nowhere", mapping = unchecked)]
    pub(crate) struct Visit {
        #[es(integer)]
        number: i32,
        #[es(long)]
        written: i64,
        #[es(keyword)]
        place: String,
        #[es(keyword)]
        ward: String,
    }
}

mod third {
    use pillowtop::{CouchDocument, Pillow};
    use serde::{Deserialize, Serialize};

    /// A visit of a household, of which there are many by now.
    #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
    #[couch(doc_type = "Visit", database = "commcarehq")]
    #[pillow(name = "visit", alias = "visits", filter = self.place != "nowhere", mapping = unchecked)]
    pub(crate) struct Visit {
        #[es(long)]
        number: i64,
        #[es(long)]
        written: i64,
        #[es(keyword)]
        place: String,
        #[es(keyword)]
        ward: String,
    }
}

mod fourth {
    use pillowtop::{CouchDocument, Pillow};
    use serde::{Deserialize, Serialize};

    /// A visit of a household, without its ward.
    #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
    #[couch(doc_type = "Visit", database = "commcarehq")]
    #[pillow(name = "visit", alias = "visits", filter = self.place != "nowhere", mapping = unchecked)]
    pub(crate) struct Visit {
        #[es(long)]
        number: i64,
        #[es(long)]
        written: i64,
        #[es(keyword)]
        place: String,
    }
}

fn main() -> Result<ExitCode, &'static str> {
    let registry = match std::env::var("RELEASE").as_deref() {
        Ok("1") => pillowtop::registry![first::Visit],
        Ok("2") => pillowtop::registry![second::Visit],
        Ok("3") => pillowtop::registry![third::Visit],
        Ok("4") => pillowtop::registry![fourth::Visit],
        _ => return Err("RELEASE is not 1, 2, 3 or 4"),
    };
    Ok(pillowtop_cli::main(registry))
}
