//! The PostgreSQL side of a transaction: statements, values, rows, and what an error means for the connection.

use std::collections::HashMap;
use std::error::Error as _;

use bytes::BytesMut;
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type};
use postgres::{Client, Statement, Transaction};

use crate::error::StoreError;
use crate::sql::{Row, Value};

/// The prepared statements of one connection.
pub(crate) type Statements = HashMap<&'static str, Statement>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Serialization failure or deadlock.
    Again,
    /// The connection broke, the server is going down, or it cannot say what became of the statement.
    Gone,
    /// A prepared statement no longer fits the schema.
    Stale,
    Other,
}

impl Failure {
    pub(crate) fn of(error: &postgres::Error) -> Self {
        let Some(code) = error.code() else {
            let broken = |cause: &(dyn std::error::Error + 'static)| cause.is::<std::io::Error>();
            let gone = error.is_closed() || error.source().is_some_and(broken);
            return if gone { Self::Gone } else { Self::Other };
        };
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
        {
            Self::Again
        } else if *code == SqlState::FEATURE_NOT_SUPPORTED
            || *code == SqlState::INVALID_SQL_STATEMENT_NAME
        {
            Self::Stale
        } else if ["08", "57P", "40003"]
            .iter()
            .any(|class| code.code().starts_with(class))
        {
            Self::Gone
        } else {
            Self::Other
        }
    }
}

/// The chain of causes, without the values of the statement (they are in the detail of the server's message).
pub(crate) fn describe(error: &postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The PostgreSQL side of [`crate::Tx`].
pub struct PostgresTx<'a> {
    channel: Channel<'a>,
    statements: &'a mut Statements,
    pub(crate) failure: Option<Failure>,
}

enum Channel<'a> {
    Transaction(Transaction<'a>),
    Plain(&'a mut Client),
}

impl<'a> PostgresTx<'a> {
    pub(crate) fn within(transaction: Transaction<'a>, statements: &'a mut Statements) -> Self {
        Self {
            channel: Channel::Transaction(transaction),
            statements,
            failure: None,
        }
    }

    pub(crate) fn outside(client: &'a mut Client, statements: &'a mut Statements) -> Self {
        Self {
            channel: Channel::Plain(client),
            statements,
            failure: None,
        }
    }

    /// The transaction, to be committed; `None` outside of one.
    pub(crate) fn into_transaction(self) -> Option<Transaction<'a>> {
        match self.channel {
            Channel::Transaction(transaction) => Some(transaction),
            Channel::Plain(_) => None,
        }
    }

    pub(crate) fn run(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let values = borrowed(values);
        let result = self
            .prepared(sql)
            .and_then(|statement| match &mut self.channel {
                Channel::Transaction(transaction) => transaction.execute(&statement, &values),
                Channel::Plain(client) => client.execute(&statement, &values),
            });
        self.note(result)
    }

    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        let values = borrowed(values);
        let result = self
            .prepared(sql)
            .and_then(|statement| match &mut self.channel {
                Channel::Transaction(transaction) => transaction.query(&statement, &values),
                Channel::Plain(client) => client.query(&statement, &values),
            });
        for row in &self.note(result)? {
            take(read_row(row)?);
        }
        Ok(())
    }

    /// Runs several statements without values, as a migration does.
    pub(crate) fn batch(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let result = match &mut self.channel {
            Channel::Transaction(transaction) => transaction.batch_execute(sql),
            Channel::Plain(client) => client.batch_execute(sql),
        };
        self.note(result)
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = match &mut self.channel {
            Channel::Transaction(transaction) => transaction.prepare(sql)?,
            Channel::Plain(client) => client.prepare(sql)?,
        };
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn note<T>(&mut self, result: Result<T, postgres::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            self.failure = Some(Failure::of(&error));
            StoreError::Failed(describe(&error))
        })
    }
}

fn borrowed<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

type Encoded = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Self::Text(value) if <&str as ToSql>::accepts(ty) => (&**value).to_sql(ty, out),
            Self::Bytes(value) if *ty == Type::BYTEA => (&**value).to_sql(ty, out),
            Self::Id(value) if *ty == Type::BYTEA => value.as_slice().to_sql(ty, out),
            Self::Int(_) | Self::Text(_) | Self::Bytes(_) | Self::Id(_) => {
                Err(format!("the statement wants {ty} here").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        self.to_sql(ty, out)
    }
}

fn read_row(row: &postgres::Row) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for (number, column) in row.columns().iter().enumerate() {
        let ty = column.type_();
        let value = if *ty == Type::INT8 {
            row.try_get::<_, Option<i64>>(number)
                .map(|v| v.map(Value::Int))
        } else if *ty == Type::INT4 {
            row.try_get::<_, Option<i32>>(number)
                .map(|v| v.map(|v| Value::Int(v.into())))
        } else if *ty == Type::BYTEA {
            row.try_get::<_, Option<Vec<u8>>>(number)
                .map(|v| v.map(|v| Value::Bytes(v.into())))
        } else {
            row.try_get::<_, Option<String>>(number)
                .map(|v| v.map(|v| Value::Text(v.into())))
        };
        values.push(value.map_err(StoreError::damaged)?.unwrap_or(Value::Null));
    }
    Ok(Row::new(values))
}
