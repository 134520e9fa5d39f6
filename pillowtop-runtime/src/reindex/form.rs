//! What a load reads: the form that was asked for if it is sound and available, otherwise the
//! fastest one that is.
//!
//! Measured on CouchDB 3.5, in documents a second: ids of a view and `_bulk_get` 17,700 to 19,000,
//! the feed 16,000, `_all_docs` with documents 10,000 to 14,000. A view lists only the documents
//! that may belong into the index, too. The feed also brings what was deleted, which a listing does
//! not have.

use std::time::Duration;

use pillowtop_core::Definition;

use super::error::ReindexError;
use super::view::{is_current, view_name};
use crate::claim::LoadForm;
use crate::source::{CouchDatabase, CouchListing, DatabaseInfo, Source as _, ViewName};
use crate::target::elastic::{Cluster, CopySource};

/// Documents of one range.
const RANGE: u64 = 250_000;
/// How long a view is looked for.
const LOOK_WITHIN: Duration = Duration::from_secs(3);
/// The most ranges.
const RANGES: usize = 64;

/// What is wanted of a load. The default leaves everything to the runtime.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What it reads.
    pub form: Option<LoadForm>,
    /// The view that is read; by default the one that is generated for the pillow.
    pub view: Option<ViewName>,
    /// Into how many ranges a listing is divided.
    pub ranges: Option<usize>,
    /// Whether an index is built that seems not to fit onto the disks.
    pub force: bool,
}

/// What a load reads, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The form.
    pub form: LoadForm,
    /// The view that is read.
    pub view: Option<ViewName>,
    /// About how many documents are read.
    pub documents: u64,
    /// The index that is copied.
    pub index: Option<Box<CopySource>>,
    /// Into how many ranges a listing is divided; 1 for other forms.
    pub ranges: usize,
    /// Why, for people.
    pub reason: String,
}

impl Chosen {
    fn new(form: LoadForm, documents: u64, reason: impl Into<String>) -> Self {
        Self { form, view: None, documents, index: None, ranges: 1, reason: reason.into() }
    }
}

/// A load from the index that is searched, if that is sound.
pub(super) async fn of_index(cluster: &Cluster, definition: &Definition) -> Result<Chosen, ReindexError> {
    let form = LoadForm::OldIndex;
    match cluster.copy_source(definition).await? {
        Ok(source) => {
            let reason = format!("the server copies index `{}`", source.index);
            let chosen = Chosen::new(form, source.documents, reason);
            Ok(Chosen { index: Some(Box::new(source)), ..chosen })
        }
        Err(reason) => Err(ReindexError::Form { form, reason }),
    }
}

/// The listing of a form.
pub(super) fn listing_of(form: LoadForm, view: Option<&str>) -> Option<CouchListing> {
    match form {
        LoadForm::Ids => Some(CouchListing::Ids),
        LoadForm::AllDocs => Some(CouchListing::AllDocs),
        LoadForm::View => view?.parse().ok().map(CouchListing::View),
        LoadForm::Feed | LoadForm::OldIndex => None,
    }
}

/// What a load of a database reads.
pub(super) async fn choose(
    definition: &Definition,
    database: &CouchDatabase,
    info: &DatabaseInfo,
    wanted: &Wanted,
) -> Result<Chosen, ReindexError> {
    let mut chosen = match wanted.form {
        Some(LoadForm::View) => of_view(definition, database, wanted).await?,
        Some(LoadForm::Ids) => {
            check_bulk_get(database, LoadForm::Ids).await?;
            Chosen::new(LoadForm::Ids, info.documents, "as it was asked for")
        }
        Some(form) => Chosen::new(form, info.documents, "as it was asked for"),
        None => of_database(definition, database, info, wanted).await?,
    };
    if chosen.form.has_ranges() {
        let usual = usize::try_from(chosen.documents / RANGE).unwrap_or(RANGES);
        chosen.ranges = wanted.ranges.unwrap_or(usual).clamp(1, RANGES);
    }
    Ok(chosen)
}

/// The fastest form.
async fn of_database(
    definition: &Definition,
    database: &CouchDatabase,
    info: &DatabaseInfo,
    wanted: &Wanted,
) -> Result<Chosen, ReindexError> {
    let view = view_name(definition);
    let looking = async {
        let design = database.design(&view.design).await.unwrap_or_default();
        let is_there = design.is_some_and(|design| is_current(definition, &design));
        (is_there, is_there && !matches!(database.is_building(&view.design).await, Ok(Some(true))))
    };
    // Whoever may not see views, or not soon, reads the feed.
    let (is_there, is_ready) = tokio::time::timeout(LOOK_WITHIN, looking).await.unwrap_or_default();
    let mut unread = None;
    if wanted.view.is_some() || is_ready {
        match read_view(database, wanted.view.clone().unwrap_or(view)).await {
            Ok(chosen) => return Ok(chosen),
            // Another form is chosen.
            Err(error) => unread = Some(error),
        }
    }
    let DatabaseInfo { documents, deleted_documents, copies, .. } = info;
    if deleted_documents > documents && check_bulk_get(database, LoadForm::Ids).await.is_ok() {
        let reason = format!("the feed would bring {deleted_documents} deleted documents too");
        return Ok(Chosen::new(LoadForm::Ids, *documents, reason));
    }
    let reason = if let Some(error) = unread {
        error.to_string()
    } else if is_there {
        "its view is being built".to_owned()
    } else if definition.selector.is_some() && *copies <= 1 {
        "the database filters it by the selector, and has no view for the pillow".to_owned()
    } else {
        "it is the fastest without a view for the pillow".to_owned()
    };
    Ok(Chosen::new(LoadForm::Feed, *documents, reason))
}

/// A load from a view, if there is one that can be read.
async fn of_view(
    definition: &Definition,
    database: &CouchDatabase,
    wanted: &Wanted,
) -> Result<Chosen, ReindexError> {
    let form = LoadForm::View;
    let own = view_name(definition);
    if wanted.view.is_none() {
        let name = database.name();
        match database.design(&own.design).await? {
            None => {
                let reason = format!("database `{name}` has no view for the pillow");
                return Err(ReindexError::Form { form, reason });
            }
            Some(design) if !is_current(definition, &design) => {
                let reason = format!("the view in database `{name}` is of another filter or other types");
                return Err(ReindexError::Form { form, reason });
            }
            Some(_) => {}
        }
    }
    read_view(database, wanted.view.clone().unwrap_or(own)).await
}

/// A load from this view, if it can be read.
async fn read_view(database: &CouchDatabase, view: ViewName) -> Result<Chosen, ReindexError> {
    let form = LoadForm::View;
    check_bulk_get(database, form).await?;
    let rows = database.view_rows(&view).await;
    let documents = rows.map_err(|error| ReindexError::Form { form, reason: error.to_string() })?;
    let reason = format!("view `{view}` lists {documents} documents");
    Ok(Chosen { view: Some(view), ..Chosen::new(form, documents, reason) })
}

/// Whether documents can be read by their ids, many at once.
async fn check_bulk_get(database: &CouchDatabase, form: LoadForm) -> Result<(), ReindexError> {
    let fetched = database.fetch(&["pillowtop".into()]).await;
    fetched.map(drop).map_err(|error| ReindexError::Form {
        form,
        reason: format!("documents cannot be read by `_bulk_get`: {error}"),
    })
}
