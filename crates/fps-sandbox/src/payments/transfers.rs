//! What moves in the books when a payment is charged, and when it is refunded.

use refund_rules::{Method, Money, Scope};

use super::StoredPayment;
use super::names::Operation;
use super::refunds::StoredRefund;
use crate::books::{Account, Place, Transfer};

/// When a payment is charged.
pub(super) fn of_payment(stored: &StoredPayment) -> Vec<Transfer<'_>> {
    let amount = stored.captured;
    let recipient = Place::new(stored.recipient, Account::Merchant);
    let mut transfers = Vec::with_capacity(4);
    if is_cash(stored) {
        transfers.push(Transfer {
            from: Place::new(stored.recipient, Account::Buyers),
            to: recipient,
            amount,
        });
    }
    let payer = stored.fee_payer();
    transfers.push(Transfer {
        from: Place::new(payer, Account::Merchant),
        to: Place::new(payer, Account::Fees),
        amount: stored.payment.fee(),
    });
    transfers.push(Transfer {
        from: recipient,
        to: Place::new(stored.merchant, Account::Merchant),
        amount: stored.payment.marketplace_fee(),
    });
    match stored.operation {
        Operation::FundPrepaid => transfers.push(prepaid(stored, amount)),
        Operation::SettleDebt | Operation::WriteOffDebt => {
            transfers.push(debt(stored, amount).reversed());
        }
        Operation::Charge | Operation::Pay | Operation::Reserve => match stored.payment.method() {
            Method::Prepaid => transfers.push(prepaid(stored, amount).reversed()),
            Method::Postpaid => transfers.push(debt(stored, amount)),
            Method::Card | Method::Bank | Method::Balance => {}
        },
    }
    transfers
}

/// When a refund is taken: to the buyer's side, the fee back, and a marketplace's share.
pub(super) fn of_refund<'a>(stored: &'a StoredPayment, refund: &StoredRefund) -> Vec<Transfer<'a>> {
    let recipient = Place::new(stored.recipient, Account::Merchant);
    let caller = Place::new(stored.merchant, Account::Merchant);
    let payer = stored.fee_payer();
    let fee_back = Transfer {
        from: Place::new(payer, Account::Fees),
        to: Place::new(payer, Account::Merchant),
        amount: refund.fee_returned,
    };
    let from_marketplace =
        Transfer { from: caller, to: recipient, amount: refund.marketplace_returned };
    if refund.scope == Scope::MarketplaceFee {
        return vec![from_marketplace];
    }
    // The recipient gives it all, and has the marketplace's share from it: so the recipient is out of
    // pocket by what the legs of the plan say.
    let to_buyer = match stored.payment.method() {
        Method::Card | Method::Bank | Method::Balance => Transfer {
            from: recipient,
            to: Place::new(stored.recipient, Account::Refunding),
            amount: refund.amount,
        },
        Method::Prepaid => prepaid(stored, refund.amount),
        Method::Postpaid => debt(stored, refund.amount).reversed(),
    };
    vec![from_marketplace, to_buyer, fee_back]
}

/// When a refund has reached the buyer; credit is there from the beginning.
pub(super) fn of_refund_done<'a>(
    stored: &'a StoredPayment,
    refund: &StoredRefund,
) -> Vec<Transfer<'a>> {
    if refund.scope == Scope::MarketplaceFee || !is_cash(stored) {
        return Vec::new();
    }
    vec![Transfer {
        from: Place::new(stored.recipient, Account::Refunding),
        to: Place::new(stored.recipient, Account::Buyers),
        amount: refund.amount,
    }]
}

/// The rest of a fee that comes back.
pub(super) fn of_fee(stored: &StoredPayment, amount: Money) -> Transfer<'_> {
    let payer = stored.fee_payer();
    Transfer {
        from: Place::new(payer, Account::Fees),
        to: Place::new(payer, Account::Merchant),
        amount,
    }
}

/// Does money come from outside?
fn is_cash(stored: &StoredPayment) -> bool {
    let forgiven = stored.operation == Operation::WriteOffDebt;
    !forgiven && !matches!(stored.payment.method(), Method::Prepaid | Method::Postpaid)
}

/// More prepaid credit for the buyer.
fn prepaid(stored: &StoredPayment, amount: Money) -> Transfer<'_> {
    let instrument = stored.instrument.as_deref().unwrap_or_default();
    Transfer {
        from: Place::new(stored.recipient, Account::Deferred),
        to: Place::of_instrument(stored.recipient, Account::Prepaid, instrument),
        amount,
    }
}

/// More debt of the buyer.
fn debt(stored: &StoredPayment, amount: Money) -> Transfer<'_> {
    let instrument = stored.instrument.as_deref().unwrap_or_default();
    Transfer {
        from: Place::new(stored.recipient, Account::Credit),
        to: Place::of_instrument(stored.recipient, Account::Debt, instrument),
        amount,
    }
}
