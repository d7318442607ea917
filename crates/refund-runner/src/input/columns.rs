//! The names of the columns, and the nearest one to a name that is none.

use std::cmp::min;

/// What can be said of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Payment,
    Amount,
    Currency,
    Reference,
    Note,
    SoftDescriptor,
    Scope,
    Captured,
    Fee,
    Refunded,
    Refunds,
    Method,
    CallerReference,
    CompletedAt,
}

/// How many columns there are.
pub(crate) const COLUMNS: usize = 14;

const NAMES: [(&str, Column); 17] = [
    ("payment", Column::Payment),
    ("amount", Column::Amount),
    ("currency", Column::Currency),
    ("reference", Column::Reference),
    ("note", Column::Note),
    ("soft_descriptor", Column::SoftDescriptor),
    ("scope", Column::Scope),
    ("captured", Column::Captured),
    ("fee", Column::Fee),
    ("refunded", Column::Refunded),
    ("refunds", Column::Refunds),
    ("method", Column::Method),
    ("caller_reference", Column::CallerReference),
    ("completed_at", Column::CompletedAt),
    // What the services call a payment.
    ("payment_id", Column::Payment),
    ("charge_id", Column::Payment),
    ("transaction_id", Column::Payment),
];

impl Column {
    /// The column of this name: the case of letters is nothing, and blanks and hyphens are underscores.
    pub(crate) fn named(text: &str) -> Option<Self> {
        let text = plain(text);
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, column)| *column)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }

    pub(crate) const fn place(self) -> usize {
        self as usize
    }
}

fn plain(text: &str) -> String {
    let underscore = |character| if matches!(character, ' ' | '-') { '_' } else { character };
    text.trim().to_ascii_lowercase().chars().map(underscore).collect()
}

/// The name that was probably meant, if one is near.
pub(crate) fn nearest(text: &str) -> Option<&'static str> {
    // A name of any length is compared in its beginning only: a file can have any bytes there.
    let text: String = plain(text).chars().take(32).collect();
    let near = NAMES.iter().map(|(name, _)| (distance(&text, name), *name)).min()?;
    (near.0 <= 3 && near.0 < text.chars().count()).then_some(near.1)
}

/// How many letters must be put in, left out or changed.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (place, letter) in left.chars().enumerate() {
        let mut before = place;
        let mut latest = place.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = latest;
        }
        for (other, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let changed = before.saturating_add(usize::from(letter != *other));
            before = *cell;
            latest = min(changed, min(before, latest).saturating_add(1));
            *cell = latest;
        }
    }
    row.last().copied().unwrap_or_default()
}
