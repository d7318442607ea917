//! What the messages say of a payment or refund that it does not know itself; kept with it as JSON.

use fps_model::{Decimal, Sensitive};
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

/// Fields of the request that are told again, most of them of revision 2007-01-08.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction_date: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sender_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient_description: Option<Sensitive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) meta_data: Option<Sensitive>,
    /// How the marketplace's fee was agreed: in cents, and in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fixed_fee: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variable_fee: Option<Decimal>,
}

impl Details {
    pub(super) fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::with(ErrorKind::Invalid, error))
    }

    /// Of a payment or refund.
    pub(super) fn read(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::with(ErrorKind::Database, error))
    }
}
