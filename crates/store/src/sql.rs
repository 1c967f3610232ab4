//! The words verbs are written in: values, rows and the transaction. No connection, no thread and no SQL text lives here.

use std::borrow::Cow;

use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::postgres_tx::PostgresTx;
use crate::sqlite::SqliteTx;

/// The transaction of one verb. Statements are literals with the placeholders `$1 … $n`, in the one dialect both
/// databases speak; each is prepared once a connection.
pub enum Tx<'a> {
    Sqlite(SqliteTx<'a>),
    Postgres(PostgresTx<'a>),
}

impl Tx<'_> {
    /// Runs a change and tells how many rows it met. That count is what decides: the condition is in the statement.
    pub fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(tx) => tx.run(sql, values),
            Self::Postgres(tx) => tx.run(sql, values),
        }
    }

    /// The first row, if there is one.
    pub fn one(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        let mut first = None;
        self.each(sql, values, &mut |row| {
            if first.is_none() {
                first = Some(row);
            }
        })?;
        Ok(first)
    }

    /// All rows; the statement carries its own `LIMIT`.
    pub fn all(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each(sql, values, &mut |row| rows.push(row))?;
        Ok(rows)
    }

    fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.each(sql, values, take),
            Self::Postgres(tx) => tx.each(sql, values, take),
        }
    }

    pub(crate) fn batch(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.batch(sql),
            Self::Postgres(tx) => tx.batch(sql),
        }
    }

    /// Whether a statement of this transaction failed, so that it must not be committed even if the verb went on.
    pub(crate) fn broken(&self) -> bool {
        match self {
            Self::Sqlite(tx) => tx.broken,
            Self::Postgres(tx) => tx.failure.is_some(),
        }
    }
}

/// What can be bound and what a column can hold. Ids are bytes, times are integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Id([u8; 16]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.millis())
    }
}

impl From<RowId> for Value<'_> {
    fn from(value: RowId) -> Self {
        Self::Id(value.bytes())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a [u8; 32]> for Value<'a> {
    fn from(value: &'a [u8; 32]) -> Self {
        Self::Bytes(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Binds a list of values of different types.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::sql::Value::from($value)),*] };
}
pub(crate) use values;

/// One row, read by position. A column of another type than asked for is damage, not a guess.
#[derive(Debug, PartialEq, Eq)]
pub struct Row(Vec<Value<'static>>);

impl Row {
    pub(crate) fn new(columns: Vec<Value<'static>>) -> Self {
        Self(columns)
    }

    fn at(&self, column: usize) -> Result<&Value<'static>, StoreError> {
        self.0
            .get(column)
            .ok_or_else(|| StoreError::damaged(format!("there is no column {column}")))
    }

    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.at(column)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(*value)),
            Value::Text(_) | Value::Bytes(_) | Value::Id(_) => Err(wrong(column, "an integer")),
        }
    }

    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.at(column)? {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            Value::Int(_) | Value::Bytes(_) | Value::Id(_) => Err(wrong(column, "text")),
        }
    }

    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.at(column)? {
            Value::Null => Ok(None),
            Value::Bytes(value) => Ok(Some(value)),
            Value::Id(value) => Ok(Some(value)),
            Value::Int(_) | Value::Text(_) => Err(wrong(column, "bytes")),
        }
    }

    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.maybe_int(column)?
            .ok_or_else(|| wrong(column, "an integer"))
    }

    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.maybe_text(column)?
            .ok_or_else(|| wrong(column, "text"))
    }

    pub fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        self.maybe_bytes(column)?
            .ok_or_else(|| wrong(column, "bytes"))
    }

    pub fn digest(&self, column: usize) -> Result<[u8; 32], StoreError> {
        self.bytes(column)?
            .try_into()
            .map_err(|_| wrong(column, "32 bytes"))
    }

    /// A counter: never negative.
    pub fn count(&self, column: usize) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_| wrong(column, "a count"))
    }

    pub fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_millis)
    }

    pub fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(column)?.map(Timestamp::from_millis))
    }

    pub fn id(&self, column: usize) -> Result<RowId, StoreError> {
        self.maybe_id(column)?.ok_or_else(|| wrong(column, "an id"))
    }

    pub fn maybe_id(&self, column: usize) -> Result<Option<RowId>, StoreError> {
        let Some(bytes) = self.maybe_bytes(column)? else {
            return Ok(None);
        };
        let bytes = bytes.try_into().map_err(|_| wrong(column, "an id"))?;
        Ok(Some(RowId::from_bytes(bytes)))
    }

    /// The part of the row only Rust reads.
    pub fn record<T: DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        read_record(self.text(column)?)
    }
}

fn wrong(column: usize, wanted: &str) -> StoreError {
    StoreError::damaged(format!("column {column} is not {wanted}"))
}

/// The version of every record this program writes. A reader of version n also reads n - 1 (expand, then contract).
const RECORD_VERSION: u32 = 1;

#[derive(Serialize, serde::Deserialize)]
struct Versioned<T> {
    v: u32,
    r: T,
}

pub(crate) fn record<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(&Versioned {
        v: RECORD_VERSION,
        r: value,
    })
    .map_err(StoreError::failed)
}

fn read_record<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_str::<Versioned<T>>(text) {
        Ok(found) if found.v == RECORD_VERSION => Ok(found.r),
        Ok(found) => Err(StoreError::damaged(format!("record version {}", found.v))),
        Err(error) => Err(match serde_json::from_str::<Version>(text) {
            Ok(found) if found.v != RECORD_VERSION => {
                StoreError::damaged(format!("record version {}", found.v))
            }
            Ok(_) | Err(_) => StoreError::damaged(place(&error)),
        }),
    }
}

/// Where a record broke, without any of its content.
fn place(error: &serde_json::Error) -> String {
    format!("record: {:?} at byte {}", error.classify(), error.column())
}
