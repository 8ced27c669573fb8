//! The only part of an AWS error that may be logged: its code. The rest may repeat the request or contain the answer.

/// The code, if it looks like one (`KMSInvalidStateException`). Any other text is replaced.
pub(crate) fn loggable(code: &str) -> &str {
    let is_name = (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.');
    if is_name { code } else { "unreadable" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_logged_and_other_text_is_not() {
        for code in [
            "ThrottlingException",
            "KMSInvalidStateException",
            "KMS.DisabledException",
        ] {
            assert_eq!(loggable(code), code);
        }
        let long = "A".repeat(65);
        for text in [
            "",
            "b1a4747d11d5d9aa",
            "AAECAw==",
            "with spaces",
            "[1, 2]",
            "\u{e9}",
            &long,
        ] {
            assert_eq!(loggable(text), "unreadable", "{text}");
        }
    }
}
