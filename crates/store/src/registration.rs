//! Where users are reachable, kept so that they still are after a restart.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Row, row};
use crate::timestamp::Timestamp;

row! {
    /// One binding of an address of record.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Registration in "registrations" {
        /// `user@realm`.
        pub aor: String,
        /// Contact as registered, with its parameters.
        pub contact: String,
        /// `udp`, `tcp`, `tls`, `ws` or `wss`.
        pub protocol: String,
        /// Our address of the flow it came by, `ip:port`.
        pub local: String,
        /// The address it came from, `ip:port`.
        pub remote: String,
        /// Call-ID of the REGISTER, which orders updates.
        pub call_id: String,
        /// CSeq of the REGISTER.
        pub cseq: u32,
        /// When it was made or refreshed.
        pub registered_at: Timestamp,
        /// The first moment at which it no longer counts.
        pub expires_at: Timestamp,
    }
}

impl Store {
    /// The bindings that count at `now`, in the order in which each user made them. Those that
    /// have expired are forgotten.
    ///
    /// # Errors
    /// The database fails.
    pub async fn registrations(&self, now: Timestamp) -> Result<Vec<Registration>, StoreError> {
        let read = async {
            let expired = sqlx::query("DELETE FROM registrations WHERE expires_at <= ?");
            expired.bind(now).execute(self.pool()).await?;
            let rows = sqlx::query(Registration::select("ORDER BY aor, id"));
            let rows = rows.fetch_all(self.pool()).await?;
            rows.iter().map(Registration::from_row).collect::<Result<Vec<_>, sqlx::Error>>()
        };
        read.await.map_err(self.failed("reading the registrations"))
    }
}
