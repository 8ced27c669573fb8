//! The header `If-Match` (RFC 9110, section 13.1.1).

use latchkey_core::vault::{Precondition, VaultTag};

use crate::answers::{FieldErrors, Problem};
use crate::event::ApiRequest;

/// The precondition of the request. A weak tag, or one that is not ours, matches no state of the vault.
pub(crate) fn precondition(request: &ApiRequest) -> Result<Precondition, Problem> {
    let Some(header) = request.if_match() else {
        return Ok(Precondition::None);
    };
    if header.trim() == "*" {
        return Ok(Precondition::None);
    }
    let Some(tags) = header
        .split(',')
        .map(|part| opaque_tag(part.trim()))
        .collect::<Option<Vec<_>>>()
    else {
        let mut errors = FieldErrors::default();
        errors.note_parameter(
            "If-Match",
            "must be an ETag of the vault, in its quotes, or several with commas between",
        );
        return errors.into_result().map(|()| Precondition::None);
    };
    Ok(Precondition::OneOf(tags.into_iter().flatten().collect()))
}

/// Parses an entity-tag. `None` if the text is none; `Some(None)` if no vault can have this tag.
fn opaque_tag(text: &str) -> Option<Option<VaultTag>> {
    let (strong, weak) = (text, text.strip_prefix("W/"));
    let quoted = weak.unwrap_or(strong).strip_prefix('"')?.strip_suffix('"')?;
    let is_opaque_tag = quoted.bytes().all(|byte| byte > 0x20 && byte != b'"' && byte != 0x7f);
    is_opaque_tag.then(|| VaultTag::parse(quoted).filter(|_| weak.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, RestClaimsPlace};
    use serde_json::json;
    use serde_json::value::RawValue;

    fn read(header: Option<&str>) -> Result<Precondition, Problem> {
        let event = json!({ "requestContext": {}, "headers": header.map(|header| json!({ "if-match": header })) });
        let payload = RawValue::from_string(event.to_string()).expect("JSON");
        match Event::from_payload(&payload, RestClaimsPlace::default()) {
            Event::Api(request) => precondition(&request),
            _ => panic!("an API event"),
        }
    }

    #[test]
    fn the_header_names_states_of_the_vault() {
        let tag = |version, is_default| VaultTag { version, is_default };
        for (header, tags) in [
            ("\"v3\"", vec![tag(3, false)]),
            (" \"v3-default\" ", vec![tag(3, true)]),
            ("\"v3\", \"v4-default\"", vec![tag(3, false), tag(4, true)]),
            ("W/\"v3\"", vec![]),
            ("\"another-services\"", vec![]),
            ("\"\"", vec![]),
        ] {
            assert_eq!(read(Some(header)).ok(), Some(Precondition::OneOf(tags)), "{header}");
        }
        assert_eq!(read(None).ok(), Some(Precondition::None));
        assert_eq!(read(Some("*")).ok(), Some(Precondition::None));
    }

    #[test]
    fn what_is_no_entity_tag_is_refused_rather_than_overlooked() {
        for header in [
            "", "v3", "\"v3", "\"", "v3\"", "\"v3\",", "\"a\"b\"", "w/\"v3\"", "\"v3\" *",
        ] {
            let problem = read(Some(header)).expect_err(header);
            assert_eq!(problem.errors[0].parameter.as_deref(), Some("If-Match"), "{header}");
        }
    }
}
