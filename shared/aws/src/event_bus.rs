//! The event bus that carries announcements of vaults' health. docs/events.md has the schema.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_eventbridge::operation::RequestId as _;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use latchkey_core::ports::{Announcer, AnnouncerError};
use latchkey_core::vault::announcement::Announcement;

use crate::failed_call::FailedCall;

/// The source of every event.
const SOURCE: &str = "latchkey";

/// The service's own event bus in our Region.
#[derive(Clone)]
pub struct EventBus {
    client: Client,
    name: String,
}

impl EventBus {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.to_owned(),
        }
    }
}

impl Announcer for EventBus {
    async fn announce(&self, announcement: &Announcement) -> Result<(), AnnouncerError> {
        let detail = serde_json::to_string(announcement).map_err(|_| AnnouncerError)?;
        let event = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(announcement.detail_type())
            .detail(detail)
            .build();
        let answer = self.client.put_events().entries(event).send().await;
        // EventBridge answers 200 even if it refuses the entry (EventBridge API reference, PutEvents).
        match answer {
            Ok(answer) if answer.failed_entry_count() == 0 => Ok(()),
            Ok(answer) => {
                let error_code = answer.entries().iter().find_map(|entry| entry.error_code());
                FailedCall::of_entry(error_code, answer.request_id()).log_outage();
                Err(AnnouncerError)
            }
            Err(error) => {
                let failed = FailedCall::new("EventBridge", "PutEvents", &error);
                match &error {
                    SdkError::ServiceError(answer)
                        if answer.raw().status().is_client_error() && error.code() != Some("ThrottlingException") =>
                    {
                        failed.log_refusal();
                    }
                    _ => failed.log_outage(),
                }
                Err(AnnouncerError)
            }
        }
    }
}
