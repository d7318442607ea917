//! The one buyer of the sandbox, as checkout sessions and charge permissions tell of them.

use fps_model::amazon_pay::{Address, Buyer, PaymentPreference};

use crate::clock::Millis;
use crate::notifications::{BUYER_EMAIL, BUYER_NAME};

/// For how long it is told who the buyer is. Source: Amazon Pay API v2, charge permission.
const TOLD_FOR: Millis = 30 * 24 * 60 * 60 * 1_000;

/// Is it told who the buyer of something that old is?
pub(super) const fn is_told(created_at: Millis, now: Millis) -> bool {
    now.saturating_sub(created_at) < TOLD_FOR
}

pub(super) fn buyer() -> Buyer {
    Buyer::new().buyer_id("amzn1.account.SANDBOXBUYER").name(BUYER_NAME).email(BUYER_EMAIL)
}

pub(super) fn address() -> Address {
    Address::new()
        .name(BUYER_NAME)
        .address_line1("1 Example Street")
        .city("Seattle")
        .state_or_region("WA")
        .postal_code("98101")
        .country_code("US")
        .phone_number("206-555-0100")
}

pub(super) fn payment_preference() -> PaymentPreference {
    PaymentPreference::new().payment_descriptor("Visa ****1111 (Amazon Pay)")
}
