//! Updates a vault's health attribute by attribute, so that attributes of a later release stay. Both releases run while
//! the later one is rolled out (docs/upgrading.md).

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::health::Health;
use latchkey_core::ports::StoreError;
use serde_dynamo::aws_sdk_dynamodb_1::to_item;

use super::errors::Record as _;
use super::vault_record::{HealthRecord, VaultRecord};

/// Completes `update`: it sets this health, and whatever `also` sets.
pub(super) fn set_health(
    update: UpdateItemFluentBuilder,
    health: &Health,
    also: &str,
) -> Result<UpdateItemFluentBuilder, StoreError> {
    let attributes = to_item(HealthRecord::from(health)).map_err(|_| VaultRecord::corrupt())?;
    let attributes: BTreeMap<String, AttributeValue> = attributes.into_iter().collect();
    let gone = HealthRecord::OPTIONAL
        .into_iter()
        .filter(|name| !attributes.contains_key(*name));
    let (mut update, mut remove) = (update.expression_attribute_names("#health", "health"), Vec::new());
    for name in gone {
        update = update.expression_attribute_names(format!("#{name}"), name);
        remove.push(format!("#health.#{name}"));
    }
    let mut set = vec![also.to_owned()];
    for (name, value) in attributes {
        set.push(format!("#health.#{name} = :{name}"));
        update = update
            .expression_attribute_names(format!("#{name}"), &name)
            .expression_attribute_values(format!(":{name}"), value);
    }
    let remove = if remove.is_empty() {
        String::new()
    } else {
        format!(" REMOVE {}", remove.join(", "))
    };
    Ok(update.update_expression(format!("SET {}{remove}", set.join(", "))))
}
