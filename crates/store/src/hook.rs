//! A webhook as the store keeps it, and properties that it only carries.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};
use verbs::HookMethod;

use crate::secret::Secret;

/// Where an application is asked or told something. JSON as REST writes it has `url`, `method`,
/// `username` and an obscured `password`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// As it was written; a relative one is resolved by whoever asks it.
    pub url: String,
    /// How it is asked.
    pub method: HookMethod,
    /// User of Basic authentication.
    pub username: Option<String>,
    /// Password of Basic authentication.
    pub password: Option<Secret>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hook = f.debug_struct("Hook");
        hook.field("url", &self.url).field("method", &self.method).finish_non_exhaustive()
    }
}

impl From<&verbs::Hook> for Hook {
    fn from(hook: &verbs::Hook) -> Hook {
        let verbs::Hook { url, method, username, password } = hook.clone();
        Hook { url, method, username, password: password.map(Secret::new) }
    }
}

impl From<&Hook> for verbs::Hook {
    fn from(hook: &Hook) -> verbs::Hook {
        let Hook { url, method, username, password } = hook.clone();
        let password = password.map(|password| password.expose().to_owned());
        verbs::Hook { url, method, username, password }
    }
}

impl Hook {
    /// The whole of it, the password in the clear: for the database alone.
    fn to_column(&self) -> String {
        let password = self.password.as_ref().map(Secret::expose);
        let Hook { url, method, username, .. } = self;
        json!({"url": url, "method": method, "username": username, "password": password})
            .to_string()
    }

    fn from_column(text: &str) -> Option<Hook> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let written = text("method")?;
        let method = HookMethod::ALL.iter().find(|method| method.as_str() == written)?;
        Some(Hook {
            url: text("url")?,
            method: *method,
            username: text("username"),
            password: text("password").map(Secret::new),
        })
    }
}

impl Type<Sqlite> for Hook {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Hook {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.to_column(), buffer)
    }
}

impl Decode<'_, Sqlite> for Hook {
    fn decode(value: SqliteValueRef<'_>) -> Result<Hook, BoxDynError> {
        // why: the error of a JSON reader quotes what it read, and that may be a password.
        Hook::from_column(<&str as Decode<Sqlite>>::decode(value)?).ok_or("not a hook".into())
    }
}

/// Properties that a REST client gave and that nothing here reads, kept for whoever reads them
/// back. Never a secret: these are shown as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra(pub Map<String, Value>);

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Type<Sqlite> for Extra {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Extra {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(serde_json::to_string(&self.0)?, buffer)
    }
}

impl Decode<'_, Sqlite> for Extra {
    fn decode(value: SqliteValueRef<'_>) -> Result<Extra, BoxDynError> {
        let text = <&str as Decode<Sqlite>>::decode(value)?;
        serde_json::from_str(text).map(Extra).map_err(|_| "not a JSON object".into())
    }
}
