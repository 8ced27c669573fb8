//! Fills a workspace's values into a file of `customer-setup/`.

use serde_json::Value;

use crate::error::{Cause, Error};

const NO_SUCH_PLACE: Error = Error::Internal(Cause::SetupKitBroken);

/// Replaces each `@name@` in the text by its value. A value is not searched for names. An `@` that starts no known name
/// is an error, so that no kit is handed out incomplete.
pub(super) fn fill_in(text: &str, values: &[(&str, &str)]) -> Result<String, Error> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        let (name, following) = after.split_once('@').ok_or(NO_SUCH_PLACE)?;
        let (_, value) = values.iter().find(|(known, _)| *known == name).ok_or(NO_SUCH_PLACE)?;
        filled.push_str(before);
        filled.push_str(value);
        rest = following;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Sets the default of one parameter of a CloudFormation template, and replaces the existing default, if any.
///
/// Everything else stays as written, comments included. The default is written as a JSON string, which is a YAML
/// double-quoted scalar (YAML 1.2, section 1.3), so no value can become a number, a list or another key.
pub(super) fn with_default(template: &str, parameter: &str, value: &str) -> Result<String, Error> {
    let head = format!("  {parameter}:\n");
    let mut filled = String::new();
    let (mut in_parameters, mut in_parameter, mut found) = (false, false, false);
    for line in template.split_inclusive('\n') {
        if !line.starts_with([' ', '\n']) {
            in_parameters = line == "Parameters:\n";
        }
        if !line.starts_with("    ") {
            in_parameter = in_parameters && line == head;
        }
        if in_parameter && line.starts_with("    Default:") {
            continue;
        }
        filled.push_str(line);
        if in_parameter && line == head {
            found = true;
            filled.push_str(&format!("    Default: {}\n", Value::from(value)));
        }
    }
    if found { Ok(filled) } else { Err(NO_SUCH_PLACE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "\
Parameters:
  # a comment
  One:
    Type: String
    Default: old # replaced

  Two:
    Type: String
    Default: kept
Outputs:
  Two:
    Value: 2
  Three:
    Value: 3
";

    #[test]
    fn a_default_is_put_in_or_replaced_and_all_else_stays() {
        assert_eq!(
            with_default(TEMPLATE, "One", "new").ok(),
            Some(TEMPLATE.replace(
                "    Type: String\n    Default: old # replaced\n",
                "    Default: \"new\"\n    Type: String\n"
            ))
        );
        let filled = with_default(TEMPLATE, "Two", "a\"b").expect("there is one");
        assert!(
            filled.contains("  Two:\n    Default: \"a\\\"b\"\n    Type: String\nOutputs:\n"),
            "{filled}"
        );
        assert!(filled.contains("Default: old # replaced"));
    }

    #[test]
    fn what_is_no_parameter_is_an_error() {
        for parameter in ["Three", "Four", "Type", ""] {
            assert!(with_default(TEMPLATE, parameter, "new").is_err(), "{parameter}");
        }
    }

    #[test]
    fn every_place_is_filled_in_once() {
        let values = [("a", "@b@"), ("b", "2")];
        assert_eq!(fill_in("1 @a@@b@ 3", &values).ok().as_deref(), Some("1 @b@2 3"));
        for text in ["@c@", "@a", "a@example.com", "@", "@ a@"] {
            assert!(fill_in(text, &values).is_err(), "{text}");
        }
    }
}
