//! Everything that anybody tells `tracing` on this thread, down to TRACE, as one text.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Metadata, Subscriber};

/// The text so far; it is collected until this is dropped.
pub(crate) struct Capture {
    text: Arc<Mutex<String>>,
    _guard: DefaultGuard,
}

impl Capture {
    pub(crate) fn everything() -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let collector = Collector { text: Arc::clone(&text), last: AtomicU64::new(0) };
        Self { text, _guard: set_default(collector) }
    }

    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

struct Collector {
    text: Arc<Mutex<String>>,
    last: AtomicU64,
}

impl Collector {
    fn line(&self, head: &str, record: impl FnOnce(&mut dyn Visit)) {
        let mut line = Line(head.to_owned());
        record(&mut line);
        let mut text = self.text.lock().unwrap();
        text.push_str(&line.0);
        text.push('\n');
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let metadata = span.metadata();
        let head = format!("span {} {}", metadata.target(), metadata.name());
        self.line(&head, |line| span.record(line));
        Id::from_u64(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.line("recorded", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let head = format!("event {}", event.metadata().target());
        self.line(&head, |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}
