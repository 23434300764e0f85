//! Lists in pieces: `?limit=` and `?cursor=`, where the cursor is what the last piece ended with.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which piece of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// How many at most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the piece before.
    #[serde(default)]
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// A piece of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The things, in the order of the list.
    pub(super) items: Vec<T>,
    /// What to send as `cursor` for the next piece; null at the end.
    pub(super) next_cursor: Option<String>,
}
