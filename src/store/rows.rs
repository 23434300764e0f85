//! The rows that a statement on a file is about, in few shapes: SQLite keeps a plan for each text, and making one costs
//! more than some empty rows.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite};

/// Pushes `WITH asked (columns) AS (..)` with what `push` binds for each of the rows. The first column is never NULL: up
/// to the next power of two there are rows of NULLs, which nobody sees.
pub(super) fn push_asked<'q, T>(
    query: &'q mut QueryBuilder<Sqlite>,
    columns: &str,
    rows: impl IntoIterator<Item = T>,
    mut push: impl FnMut(Separated<'_, Sqlite, &'static str>, T),
) -> &'q mut QueryBuilder<Sqlite> {
    let rows: Vec<T> = rows.into_iter().collect();
    let empty = rows.len().next_power_of_two().saturating_sub(rows.len());
    let rows = rows.into_iter().map(Some).chain(std::iter::repeat_with(|| None).take(empty));
    let names = columns.split(',');
    query.push("WITH padded (").push(columns).push(") AS (").push_values(
        rows,
        |mut row, values| match values {
            Some(values) => push(row, values),
            None => {
                for _ in names.clone() {
                    row.push_bind(None::<i64>);
                }
            }
        },
    );
    let first = columns.split(',').next().unwrap_or_default();
    query.push("), asked AS (SELECT * FROM padded WHERE ").push(first).push(" IS NOT NULL) ")
}
