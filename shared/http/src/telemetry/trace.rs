//! Trace lines: what went wrong, one JSON object a line. They name the request and the operation as the audit line
//! does, so one query finds both. docs/logging.md lists them.

use core::fmt;
use std::io::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The targets of our own spans begin with this. Spans of other crates are left out: the Lambda runtime's, for example,
/// write the request id in another form.
const OURS: &str = "latchkey";

/// Writes each event as one line on standard output. The line has its kind, the event's level, message and target, the
/// fields of our spans around the event, and the event's own fields. A name that is taken is not written twice.
pub(crate) struct TraceLines;

/// The fields of a span or an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !attributes.metadata().target().starts_with(OURS) {
            return;
        }
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = line(event, &context).to_string();
        line.push('\n');
        // A failed write cannot be reported anywhere.
        let _ = io::stdout().lock().write_all(line.as_bytes());
    }
}

fn line<S: Subscriber + for<'a> LookupSpan<'a>>(event: &Event<'_>, context: &Context<'_, S>) -> Value {
    let mut own = Fields::default();
    event.record(&mut own);
    let mut line = Fields::default();
    line.take("log", Value::from("trace"));
    line.take("level", Value::from(event.metadata().level().as_str()));
    line.take("message", own.0.remove("message").unwrap_or_default());
    line.take("target", Value::from(event.metadata().target()));
    for span in context.event_scope(event).into_iter().flatten() {
        if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
            fields.iter().for_each(|(name, value)| line.take(name, value.clone()));
        }
    }
    own.0.into_iter().for_each(|(name, value)| line.take(&name, value));
    Value::Object(line.0)
}

impl Fields {
    /// Takes a field, unless its name is taken.
    fn take(&mut self, name: &str, value: Value) {
        self.0.entry(name).or_insert(value);
    }

    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Fields shown with `%` come this way too.
        self.put(field, format!("{value:?}").into());
    }
}
