//! The operations on the table's items.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::ports::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_item};

use super::errors::{Record, if_condition_held, store_error};
use super::key::RecordKey;

const PK: &str = "pk";
const SK: &str = "sk";

#[derive(Clone)]
pub(super) struct Table {
    client: Client,
    name: Arc<str>,
}

impl Table {
    pub(super) fn new(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    /// Reads a record as the last answered write, in either Region, left it.
    pub(super) async fn read<R: Record + DeserializeOwned>(&self, key: RecordKey) -> Result<Option<R>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&*self.name)
            .key(PK, AttributeValue::S(key.pk))
            .key(SK, AttributeValue::S(key.sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        answer.item.map(record).transpose()
    }

    /// Writes a record over whatever is there.
    pub(super) async fn write<R: Record + Serialize>(&self, key: RecordKey, record: &R) -> Result<(), StoreError> {
        let put = self.put(key, record)?;
        put.send().await.map(drop).map_err(|error| store_error(&error))
    }

    /// Writes a record if there is none. Returns `false`, and writes nothing, if there is one.
    pub(super) async fn write_if_absent<R: Record + Serialize>(
        &self,
        key: RecordKey,
        record: &R,
    ) -> Result<bool, StoreError> {
        let put = self
            .put(key, record)?
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        Ok(if_condition_held(put.send().await)?.is_some())
    }

    /// A write that replaces a record if `condition` holds.
    pub(super) fn replace<R: Record + Serialize>(
        &self,
        key: RecordKey,
        record: &R,
        condition: &str,
    ) -> Result<PutItemFluentBuilder, StoreError> {
        Ok(self.put(key, record)?.condition_expression(condition))
    }

    /// An update of an existing record if `condition` holds.
    pub(super) fn update(&self, key: RecordKey, condition: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&*self.name)
            .key(PK, AttributeValue::S(key.pk))
            .key(SK, AttributeValue::S(key.sk))
            .condition_expression(format!("attribute_exists(#pk) AND {condition}"))
            .expression_attribute_names("#pk", PK)
    }

    /// A query of a global index, which lags a little behind the table.
    pub(super) fn query(&self, index: &str) -> QueryFluentBuilder {
        self.client.query().table_name(&*self.name).index_name(index)
    }

    /// Reads a page of the records in the partition of `prefix` whose sort keys begin with that of `prefix`, as the
    /// last answered writes, in either Region, left them. Also returns whether there may be more.
    pub(super) async fn read_page(
        &self,
        prefix: RecordKey,
        after: Option<RecordKey>,
        limit: usize,
    ) -> Result<(Vec<HashMap<String, AttributeValue>>, bool), StoreError> {
        let start = after.map(|key| {
            HashMap::from([
                (PK.to_owned(), AttributeValue::S(key.pk)),
                (SK.to_owned(), AttributeValue::S(key.sk)),
            ])
        });
        let answer = self
            .client
            .query()
            .table_name(&*self.name)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(prefix.pk))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.sk))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), more))
    }

    /// The items on a query's first page.
    pub(super) async fn answered(
        &self,
        query: QueryFluentBuilder,
    ) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
        let answer = query.send().await.map_err(|error| store_error(&error))?;
        Ok(answer.items.unwrap_or_default())
    }

    /// The removal of a record.
    pub(super) fn delete(&self, key: RecordKey) -> DeleteItemFluentBuilder {
        self.client
            .delete_item()
            .table_name(&*self.name)
            .key(PK, AttributeValue::S(key.pk))
            .key(SK, AttributeValue::S(key.sk))
    }

    fn put<R: Record + Serialize>(&self, key: RecordKey, record: &R) -> Result<PutItemFluentBuilder, StoreError> {
        let item = to_item(record).map_err(|_| R::corrupt())?;
        Ok(self
            .client
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item))
            .item(PK, AttributeValue::S(key.pk))
            .item(SK, AttributeValue::S(key.sk)))
    }
}

/// The record that an item holds.
pub(super) fn record<R: Record + DeserializeOwned>(item: HashMap<String, AttributeValue>) -> Result<R, StoreError> {
    from_item(item).map_err(|_| R::corrupt())
}
