//! The `Jambonz-Signature` header: proof to an application that a request is ours and fresh.

use aws_lc_rs::hmac;

use crate::request::Secret;

/// `t=<unix seconds>,v1=<HMAC-SHA256 of "<t>.<payload>" in lower-case hex>`, where `payload` is
/// the exact text of the body, or for a GET the text after `?`.
pub(crate) fn signature(secret: &Secret, unix_seconds: u64, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes());
    let tag = hmac::sign(&key, format!("{unix_seconds}.{payload}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={unix_seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_time_and_payload() {
        // From `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret`.
        let hex = "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        let signed = signature(&Secret("secret".to_owned()), 1_700_000_000, r#"{"a":1}"#);
        assert_eq!(signed, format!("t=1700000000,v1={hex}"));
    }
}
