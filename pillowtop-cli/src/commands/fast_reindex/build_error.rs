//! Why nothing was built.

use pillowtop_runtime::claim::AcquireError;
use pillowtop_runtime::reindex::ReindexError;
use pillowtop_runtime::service::ServiceError;
use pillowtop_runtime::target::OpenError;

use crate::exit::Failure;

/// Why nothing was built.
pub(crate) enum BuildError {
    /// This process builds it.
    Held(String, Failure),
    Failed(Failure),
}

impl BuildError {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Held(_, failure) | Self::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for BuildError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ReindexError> for BuildError {
    fn from(error: ReindexError) -> Self {
        match &error {
            ReindexError::Acquire(AcquireError::Held { owner, .. })
            | ReindexError::Open(OpenError::Acquire(AcquireError::Held { owner, .. })) => {
                Self::Held(owner.to_string(), error.into())
            }
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<ServiceError> for BuildError {
    fn from(error: ServiceError) -> Self {
        match &error {
            ServiceError::Open(OpenError::Acquire(AcquireError::Held { owner, .. })) => {
                Self::Held(owner.to_string(), error.into())
            }
            _ => Self::Failed(error.into()),
        }
    }
}
