//! Text that must not be shown: passwords and keys.

use std::fmt;

use serde::{Serialize, Serializer};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};

/// A password or a key. Kept as it is, because a digest is computed of it; `Debug` shows
/// nothing and JSON the obscured form, so that it leaves the process only where somebody wrote
/// [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes `secret` as it is.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first character, and `X` for each of the others: `sXXXXX`. A secret of one character
    /// is `X`.
    pub fn obscured(&self) -> String {
        let letters = self.0.chars().count();
        match self.0.chars().next() {
            Some(first) if letters > 1 => format!("{first}{}", "X".repeat(letters - 1)),
            _ => "X".repeat(letters),
        }
    }

    /// What a client meant that sends `given` in an update: the obscured form sent back as it
    /// was read changes nothing.
    pub fn updated(&self, given: &str) -> Secret {
        if given == self.obscured() { self.clone() } else { Secret::new(given) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.obscured())
    }
}

impl Type<Sqlite> for Secret {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Secret {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.0, buffer)
    }
}

impl Decode<'_, Sqlite> for Secret {
    fn decode(value: SqliteValueRef<'_>) -> Result<Secret, BoxDynError> {
        <String as Decode<Sqlite>>::decode(value).map(Secret)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn only_the_first_character_and_the_length_are_shown() {
        for (secret, shown) in [("s3cret", "sXXXXX"), ("pä", "pX"), ("ärger", "äXXXX")] {
            assert_eq!(Secret::new(secret).obscured(), shown);
            assert_eq!(serde_json::json!(Secret::new(secret)), shown);
        }
        assert_eq!(Secret::new("a").obscured(), "X", "the first character would be all of it");
        assert_eq!(Secret::new("").obscured(), "");
        assert!(!format!("{:?}", Some(Secret::new("s3cret"))).contains('3'));
    }

    #[test]
    fn the_obscured_form_sent_back_changes_nothing() {
        let secret = Secret::new("s3cret");
        assert_eq!(secret.updated("sXXXXX").expose(), "s3cret");
        assert_eq!(secret.updated("sXXXX").expose(), "sXXXX");
        assert_eq!(secret.updated("other").expose(), "other");
    }
}
