//! Quoting for a POSIX shell.

/// Quotes any text as one word of a shell (POSIX, Shell Command Language, section 2.2.2).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_back_what_was_quoted(text in "[ -~\n\t]{0,80}") {
            let ran = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(&text))])
                .output()
                .expect("a shell");
            prop_assert_eq!(String::from_utf8(ran.stdout).expect("text"), text);
        }
    }
}
