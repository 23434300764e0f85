//! The rows that a statement on a file is about, in few shapes: SQLite keeps a plan for each text, and making one costs
//! more than some empty rows.
//!
//! SQLite changes one table per statement. Statements that need nothing of each other's answers are one text and go to its
//! thread together, since a way there costs more than most of them; one of them alone returns rows.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite};

/// Pushes `WITH asked (columns) AS (..)` with what `push` binds for each of the rows. Nothing that is bound first may be
/// NULL: rows of NULLs, up to the next power of two, are told apart by it and seen by nobody.
pub(super) fn push_asked<'q, T>(
    query: &'q mut QueryBuilder<Sqlite>,
    columns: &str,
    rows: impl IntoIterator<Item = T>,
    mut push: impl FnMut(Separated<'_, Sqlite, &'static str>, T),
) -> &'q mut QueryBuilder<Sqlite> {
    let rows: Vec<T> = rows.into_iter().collect();
    let empty = rows.len().next_power_of_two().saturating_sub(rows.len());
    let rows = rows.into_iter().map(Some).chain(std::iter::repeat_with(|| None).take(empty));
    query.push("WITH asked (").push(columns).push(") AS (SELECT * FROM (");
    query.push_values(rows, |mut row, values| match values {
        Some(values) => push(row, values),
        None => {
            for _ in columns.split(',') {
                row.push_bind(None::<i64>);
            }
        }
    });
    query.push(") WHERE column1 IS NOT NULL) ")
}

/// After [`push_asked`] with the columns `user_id`, `run_id` and `epoch`: those rows whose leases still hold, as `held`.
macro_rules! held {
    () => {
        ", held AS (
            SELECT asked.* FROM asked JOIN runs ON runs.id = asked.run_id AND runs.user_id = asked.user_id
                AND runs.lease_epoch = asked.epoch AND runs.lease_until IS NOT NULL
        ) "
    };
}

pub(super) use held;
