//! Lists in pieces: `?limit=` and `?cursor=`, where the cursor is what the piece before ended with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::ApiError;

/// The longest piece.
const MOST: u32 = 200;
/// A piece whose length is not said.
const USUAL: u32 = 50;

/// Which piece of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// How many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the piece before.
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// A piece of a list that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageRequest {
    /// How many at most.
    pub(super) most: u32,
    /// What the piece before ended with.
    pub(super) after: Option<Uuid>,
}

impl PageRequest {
    /// How many to look for: one more tells whether there is a next piece.
    pub(super) fn to_find(self) -> u32 {
        self.most + 1
    }
}

impl PageParameters {
    /// As they were sent among others.
    pub(super) fn new(limit: Option<u32>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// What they ask for.
    pub(super) fn read(self) -> Result<PageRequest, ApiError> {
        let most = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&most) {
            return Err(ApiError::field("limit", &format!("must be a whole number from 1 to {MOST}")));
        }
        let after = self.cursor.map(|cursor| read_cursor(&cursor)).transpose()?;
        Ok(PageRequest { most, after })
    }
}

/// A piece of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The things, in the order of the list.
    pub(super) items: Vec<T>,
    /// What to send as `cursor` for the next piece; null at the end.
    pub(super) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is never longer than one piece.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// The piece that was asked for, of what was found.
    pub(super) fn cut<R: Into<T>>(found: Vec<R>, request: PageRequest, id: impl Fn(&R) -> Uuid) -> Self {
        Self::cut_with(found, request, id, Into::into)
    }

    /// The same, with what makes things of what was found.
    pub(super) fn cut_with<R>(
        mut found: Vec<R>,
        request: PageRequest,
        id: impl Fn(&R) -> Uuid,
        tell: impl FnMut(R) -> T,
    ) -> Self {
        let most = usize::try_from(request.most).unwrap_or(usize::MAX);
        let has_more = found.len() > most;
        found.truncate(most);
        let last = found.last().filter(|_| has_more);
        let next_cursor = last.map(|last| URL_SAFE_NO_PAD.encode(id(last).as_bytes()));
        Self { items: found.into_iter().map(tell).collect(), next_cursor }
    }
}

impl<T> Page<T> {
    /// The same piece of other things.
    pub(super) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

fn read_cursor(cursor: &str) -> Result<Uuid, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    bytes.ok_or_else(|| ApiError::field("cursor", "must be the `next_cursor` of the piece before"))
}
