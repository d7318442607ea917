//! What somebody asks to be refunded; says nothing of whether it may be.

use crate::authority::Asker;
use crate::money::Money;

/// What somebody asks to be refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    amount: Option<Money>,
    scope: Scope,
    asker: Asker,
}

/// Which part of a marketplace payment goes back: FPS calls it `MarketplaceRefundPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "each moves money between other parties")]
pub enum Scope {
    /// What the sender paid, all of it at the cost of the recipient: the marketplace keeps its fee.
    /// The default, and the only one without a marketplace. `MasterTxnOnly`.
    #[default]
    Payment,
    /// What the marketplace took, to the recipient; the sender gets nothing. The amount of the wish
    /// is one of the marketplace fee. `MarketplaceTxnOnly`.
    MarketplaceFee,
    /// What the sender paid, at the cost of the recipient and, for its share of the fee, of the
    /// marketplace. `MasterAndMarketplaceTxn`.
    PaymentAndMarketplaceFee,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::Payment, Self::MarketplaceFee, Self::PaymentAndMarketplaceFee];

    /// A short stable name, for tables and machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::MarketplaceFee => "marketplace-fee",
            Self::PaymentAndMarketplaceFee => "payment-and-marketplace-fee",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

impl Wish {
    /// This amount, asked by who executed the payment.
    #[must_use]
    pub const fn amount(amount: Money) -> Self {
        Self { amount: Some(amount), scope: Scope::Payment, asker: Asker::CALLER }
    }

    /// Whatever remains of the captured amount, without any overage, asked by who executed the
    /// payment.
    #[must_use]
    pub const fn rest() -> Self {
        Self { amount: None, scope: Scope::Payment, asker: Asker::CALLER }
    }

    /// For another part of a marketplace payment.
    #[must_use]
    pub const fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Asked by somebody in particular.
    #[must_use]
    pub const fn with_asker(mut self, asker: Asker) -> Self {
        self.asker = asker;
        self
    }

    /// The amount, unless the rest was asked for.
    #[must_use]
    pub const fn asked(&self) -> Option<Money> {
        self.amount
    }

    /// Which part of a marketplace payment.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Who asks.
    #[must_use]
    pub const fn asker(&self) -> Asker {
        self.asker
    }
}
