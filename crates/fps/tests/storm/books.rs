//! What a batch was to do, and what it did by both books.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A batch, as the process that runs it needs to know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Where this is written.
    pub(crate) file: PathBuf,
    pub(crate) ledger: PathBuf,
    pub(crate) batch: String,
    pub(crate) is_amazon_pay: bool,
    pub(crate) url: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_key: String,
    pub(crate) public_key_id: String,
    pub(crate) private_key_pem: String,
    /// The payment and the amount of each row, in cents.
    pub(crate) rows: Vec<(String, i64)>,
}

/// What was found afterwards.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What the sandbox has refunded: payment and amount, sorted.
    pub(crate) refunds: Vec<(String, i64)>,
    /// What the ledger says is refunded: number and cents.
    pub(crate) recorded: (u64, i64),
    /// What it says is anything else.
    pub(crate) other: u64,
}

impl Verdict {
    /// Every row once, and nothing else.
    pub(crate) fn exactly(plan: &Plan) -> Self {
        let mut refunds = plan.rows.clone();
        refunds.sort();
        let cents = plan.rows.iter().map(|(_, cents)| cents).sum();
        Self { refunds, recorded: (u64::try_from(plan.rows.len()).unwrap(), cents), other: 0 }
    }
}
