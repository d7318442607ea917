//! A whole sandbox from one file: merchants, credit, tokens and payments, made at once or not at all.

use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::control::{
    Control, Instrument, InstrumentSpec, KnownPayment, KnownToken, MadeMerchant, NextDeclines,
    PaymentSpec, TokenSpec,
};
use crate::control::{insert_instrument, insert_payment, insert_token, set_next, tell_merchant};
use crate::error::{Error, ErrorKind};
use crate::merchants::{MerchantSpec, NewMerchant};

/// What is to be made. Later parts may name what earlier ones make.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Seed {
    /// Merchants, with fresh keys.
    pub merchants: Vec<MerchantSpec>,
    /// Prepaid and postpaid credit.
    pub instruments: Vec<InstrumentSpec>,
    /// Tokens.
    pub tokens: Vec<TokenSpec>,
    /// Payments.
    pub payments: Vec<PaymentSpec>,
    /// How many of the refunds that come next are declined.
    pub decline_next: Option<NextDeclines>,
}

impl Seed {
    /// Reads a seed file.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`], which says where.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(text).map_err(|error| Error::with(ErrorKind::Invalid, error))
    }
}

/// What was made, in the order of the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Seeded {
    /// The merchants, with their keys, which are told only here.
    pub merchants: Vec<MadeMerchant>,
    /// The credit.
    pub instruments: Vec<Instrument>,
    /// The tokens.
    pub tokens: Vec<KnownToken>,
    /// The payments.
    pub payments: Vec<KnownPayment>,
}

impl Control {
    /// Makes everything that a seed names, or nothing.
    ///
    /// # Errors
    /// [`Error`] of the first thing that cannot be made.
    pub async fn seed(&self, seed: Seed) -> Result<Seeded, Error> {
        let source = Arc::clone(&self.shared.ids);
        let (merchants, seed) = tokio::task::spawn_blocking(move || {
            let made = seed.merchants.iter().map(|spec| spec.clone().generate(&source));
            made.collect::<Result<Vec<_>, _>>().map(|made| (made, seed))
        })
        .await
        .map_err(|error| Error::with(ErrorKind::Key, error))??;
        let (now, processing) = (self.shared.clock.now(), self.shared.processing);
        let plant =
            move |connection: &Connection| plant(connection, merchants, &seed, now, processing);
        let seeded = self.shared.store.run(plant).await;
        self.shared.wake();
        seeded
    }
}

fn plant(
    connection: &Connection,
    merchants: Vec<NewMerchant>,
    seed: &Seed,
    now: i64,
    processing: i64,
) -> Result<Seeded, Error> {
    let merchants = merchants
        .into_iter()
        .map(|new| tell_merchant(connection, &new.insert(connection)?))
        .collect::<Result<_, Error>>()?;
    let instruments = seed.instruments.iter();
    let instruments = instruments
        .map(|spec| insert_instrument(connection, spec, now))
        .collect::<Result<_, _>>()?;
    let tokens = seed.tokens.iter();
    let tokens =
        tokens.map(|spec| insert_token(connection, spec, now)).collect::<Result<_, _>>()?;
    let payments = seed.payments.iter();
    let payments = payments
        .map(|spec| insert_payment(connection, spec, now, processing))
        .collect::<Result<_, _>>()?;
    if let Some(next) = &seed.decline_next {
        set_next(connection, next)?;
    }
    Ok(Seeded { merchants, instruments, tokens, payments })
}
