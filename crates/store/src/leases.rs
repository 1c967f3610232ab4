//! Leases: which of several processes does a recurring job. A lease saves work; nothing is safe because of one.

use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::sql::values;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leased {
    Taken,
    /// Somebody else has it.
    Held,
}

impl Store {
    /// Takes or prolongs the lease `name` for `holder`, if it is free, expired, or already theirs.
    pub async fn take_lease(
        &self,
        name: &'static str,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Leased, StoreError> {
        let holder = holder.to_owned();
        self.write(move |tx| {
            let count = tx.run(
                "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
                 WHERE leases.until <= $4 OR leases.holder = excluded.holder",
                values![name, holder.as_str(), until, now],
            )?;
            Ok(if count == 1 {
                Leased::Taken
            } else {
                Leased::Held
            })
        })
        .await
    }

    /// Writes a row that nobody reads, to find out whether anything can be written.
    pub async fn try_to_write(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.run(
                "INSERT INTO leases (name, holder, until) VALUES ('probe', '', $1) \
                 ON CONFLICT (name) DO UPDATE SET until = excluded.until",
                values![now],
            )
            .map(drop)
        })
        .await
    }
}
