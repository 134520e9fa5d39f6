//! Computes indicators into the documents of the database `commcarehq`, until it is asked to stop:
//! those that are declared in code, and those that documents of the database
//! `indicator-definitions` define. The CouchDB is `PILLOWTOP_COUCH_URL`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use commcare::indicators::{CaseIndicators, FormIndicators, FormsOfCases, IndicatedForm, definitions};
use pillowtop_core::CouchDocument as _;
use pillowtop_indicators::{
    DefinedIndicators, Documents, IndicatorDestination, IndicatorOptions, NoRelated, follow, pillow,
};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::service::ServiceOptions;
use pillowtop_runtime::source::CouchServer;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let url = std::env::var("PILLOWTOP_COUCH_URL").context("PILLOWTOP_COUCH_URL is not set")?;
    let couch = CouchServer::new(Endpoint::parse(&url, None, None)?);
    let documents = couch.database("commcarehq".into());
    let options = IndicatorOptions::watched(documents.name().clone());

    let cases =
        IndicatorDestination::new(pillow::<CaseIndicators>(NoRelated), couch.clone(), options.clone());
    let form_pillow = pillow::<FormIndicators>(Documents(documents.clone()));
    let forms = Arc::new(IndicatorDestination::new(form_pillow, couch.clone(), options.clone()));
    let forms_of_cases = IndicatorDestination::fan_out::<FormsOfCases>(&forms, documents.name().clone());
    let in_code = [Arc::new(cases), forms, Arc::new(forms_of_cases)];

    let defined = DefinedIndicators {
        name: "defined_form_indicators",
        namespace: "clinic-defined".to_owned(),
        documents: IndicatedForm::DOCUMENT,
        definitions: couch.database("indicator-definitions".into()),
        related: documents,
        interval: Duration::from_secs(5),
    };
    if defined.definitions.create().await? {
        defined.definitions.write(&definitions()).await?;
    }

    let (service, stop) = (ServiceOptions::default(), CancellationToken::new());
    tokio::spawn({
        let stop = stop.clone();
        async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
            }
        }
    });
    tokio::try_join!(
        follow(&couch, &in_code, &service, &stop),
        defined.follow(&couch, &options, &service, &stop),
    )?;
    Ok(())
}
