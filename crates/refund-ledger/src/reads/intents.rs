//! Intents by what is known of them.

use refund_rules::{Currency, Money, RefundState};

use crate::error::Error;
use crate::intent::{IntentId, IntentRecord};
use crate::reads::Read;
use crate::rows::{IntentRow, intent_columns};
use crate::session::{Session, Value};
use crate::time::Millis;

/// The most intents in one page.
const PAGE_MAX: u32 = 10_000;

/// Which intents are asked for: those that everything said here is true of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
    after: Option<IntentId>,
    most: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// A comparison, with what follows on its right.
    Is(&'static str, Comparand),
    In(Vec<RefundState>),
    /// A condition without a value.
    Bare(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Comparand {
    Text(String),
    Int(i64),
}

impl Filter {
    /// All intents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    fn text(self, comparison: &'static str, text: impl Into<String>) -> Self {
        self.and(Condition::Is(comparison, Comparand::Text(text.into())))
    }

    fn int(self, comparison: &'static str, int: i64) -> Self {
        self.and(Condition::Is(comparison, Comparand::Int(int)))
    }

    /// Of this provider.
    #[must_use]
    pub fn provider(self, provider: impl Into<String>) -> Self {
        self.text("i.provider =", provider)
    }

    /// Of this payment.
    #[must_use]
    pub fn payment(self, id: impl Into<String>) -> Self {
        self.text("p.name =", id)
    }

    /// Of payments that their caller calls this.
    #[must_use]
    pub fn caller_reference(self, reference: impl Into<String>) -> Self {
        self.text("p.caller_reference =", reference)
    }

    /// That whoever asked for it calls this.
    #[must_use]
    pub fn reference(self, reference: impl Into<String>) -> Self {
        self.text("i.reference =", reference)
    }

    /// Under this key.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        self.text("i.key =", key)
    }

    /// That the provider calls this.
    #[must_use]
    pub fn refund(self, id: impl Into<String>) -> Self {
        self.text("i.refund =", id)
    }

    /// Of this batch.
    #[must_use]
    pub fn batch(self, batch: impl Into<String>) -> Self {
        self.text("i.batch =", batch)
    }

    /// In one of these states.
    #[must_use]
    pub fn states(self, states: impl IntoIterator<Item = RefundState>) -> Self {
        self.and(Condition::In(states.into_iter().collect()))
    }

    /// That wait for a human.
    #[must_use]
    pub fn parked(self) -> Self {
        self.and(Condition::Bare("i.parked IS NOT NULL"))
    }

    /// Of which something was said that contradicts what is known.
    #[must_use]
    pub fn alarming(self) -> Self {
        self.and(Condition::Bare("i.alarm IS NOT NULL"))
    }

    /// Written down from then on.
    #[must_use]
    pub fn since(self, at: Millis) -> Self {
        self.int("i.prepared_at >=", at.0)
    }

    /// Written down before then.
    #[must_use]
    pub fn before(self, at: Millis) -> Self {
        self.int("i.prepared_at <", at.0)
    }

    /// Of at least this amount, in its currency.
    #[must_use]
    pub fn at_least(self, amount: Money) -> Self {
        self.currency(amount.currency()).int("i.amount >=", amount.minor())
    }

    /// Of at most this amount, in its currency.
    #[must_use]
    pub fn at_most(self, amount: Money) -> Self {
        self.currency(amount.currency()).int("i.amount <=", amount.minor())
    }

    /// In this currency.
    #[must_use]
    pub fn currency(self, currency: Currency) -> Self {
        self.text("p.currency =", currency.code())
    }

    /// After the last of the page before.
    #[must_use]
    pub const fn after(mut self, intent: IntentId) -> Self {
        self.after = Some(intent);
        self
    }

    /// At most so many; otherwise, and at most, 10,000.
    #[must_use]
    pub const fn most(mut self, most: u32) -> Self {
        self.most = Some(most);
        self
    }

    /// The statement and its values; every parameter appears for the first time in its order.
    fn statement(self) -> (String, Vec<Value>) {
        let mut text = concat!(
            "SELECT ",
            intent_columns!(),
            " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.id > $1"
        )
        .to_owned();
        let mut values = vec![Value::Int(self.after.map_or(0, |after| after.0))];
        let mut bind = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        for condition in self.conditions {
            text.push_str(" AND ");
            match condition {
                Condition::Bare(condition) => text.push_str(condition),
                Condition::Is(comparison, with) => {
                    text.push_str(comparison);
                    text.push(' ');
                    text.push_str(&bind(match with {
                        Comparand::Text(text) => Value::Text(text),
                        Comparand::Int(int) => Value::Int(int),
                    }));
                }
                Condition::In(states) => {
                    let names = states.into_iter().map(RefundState::name);
                    let list: Vec<_> = names.map(|name| bind(name.into())).collect();
                    // Of no state is none.
                    let list = if list.is_empty() { "NULL".to_owned() } else { list.join(", ") };
                    text.push_str("i.state IN (");
                    text.push_str(&list);
                    text.push(')');
                }
            }
        }
        let most = self.most.unwrap_or(PAGE_MAX).min(PAGE_MAX);
        let most = bind(Value::Int(most.into()));
        text.push_str(" ORDER BY i.id LIMIT ");
        text.push_str(&most);
        (text, values)
    }
}

/// A page of intents.
pub(crate) struct Intents(pub(crate) Filter);

impl Read for Intents {
    type Output = Vec<IntentRecord>;

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let (text, values) = self.0.statement();
        let rows = session.one(&text, values).await?;
        rows.into_iter().map(|mut row| IntentRow::read(&mut row).map(IntentRow::record)).collect()
    }
}
