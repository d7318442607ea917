//! Splitting an amount so that the parts sum to the whole; knows nothing of what the parts are for.

use crate::money::{Money, MoneyError};

impl Money {
    /// Splits the amount as the weights are to one another, by the largest remainder: every part is
    /// its exact share cut off, and the units that are left go to the parts that lost most, the
    /// earlier one first. The parts sum to the whole, none is a unit off its exact share, and what
    /// has no weight gets nothing. A negative amount is split as its opposite.
    ///
    /// ```
    /// use refund_rules::{Currency, Money};
    ///
    /// let usd = |minor| Money::from_minor(minor, Currency::USD);
    /// assert_eq!(usd(10_000).allocate([1, 1, 1]), Ok([usd(3_334), usd(3_333), usd(3_333)]));
    /// assert_eq!(usd(-5).allocate([50, 0, 50]), Ok([usd(-3), usd(0), usd(-2)]));
    /// ```
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`] when no part has a weight, [`MoneyError::Overflow`] when the
    /// weights total more than `i64::MAX`.
    pub fn allocate<const N: usize>(self, weights: [u64; N]) -> Result<[Self; N], MoneyError> {
        let mut parts = [self; N];
        self.allocate_into(&weights, &mut parts)?;
        Ok(parts)
    }

    /// The same into a slice of the caller's, for a number of parts that is not known beforehand.
    /// After an error the parts are as they were.
    ///
    /// # Errors
    /// As [`Money::allocate`]; [`MoneyError::PartsMismatch`] when there are not as many parts as
    /// weights.
    pub fn allocate_into(self, weights: &[u64], parts: &mut [Self]) -> Result<(), MoneyError> {
        if weights.len() != parts.len() {
            return Err(MoneyError::PartsMismatch);
        }
        let total = weights.iter().try_fold(0_u64, |sum, weight| sum.checked_add(*weight));
        let total =
            total.and_then(|total| i64::try_from(total).ok()).ok_or(MoneyError::Overflow)?;
        if total == 0 {
            return Err(MoneyError::DivisionByZero);
        }
        // The parts hold what was cut off until it is known who gets the units that are left.
        let mut left = self.minor();
        for (part, weight) in parts.iter_mut().zip(weights) {
            let (cut, rest) = self.cut(*weight, total).ok_or(MoneyError::Overflow)?;
            left = left.checked_sub(cut).ok_or(MoneyError::Overflow)?;
            *part = Self::from_minor(rest, self.currency());
        }
        let unit = left.signum();
        let (least, mut ties) = least_rest_that_gains(parts, left.unsigned_abs());
        for (part, weight) in parts.iter_mut().zip(weights) {
            let (cut, rest) = self.cut(*weight, total).ok_or(MoneyError::Overflow)?;
            let tie = rest == least && ties > 0;
            ties = ties.saturating_sub(u64::from(tie));
            let gain = if rest > least || tie { unit } else { 0 };
            *part = Self::from_minor(cut.saturating_add(gain), self.currency());
        }
        Ok(())
    }

    /// The share of a weight, cut off, and how much of a unit was cut off, in `total`ths.
    fn cut(self, weight: u64, total: i64) -> Option<(i64, i64)> {
        let product = i128::from(self.minor()).checked_mul(i128::from(weight))?;
        let total = i128::from(total);
        let cut = i64::try_from(product.checked_div(total)?).ok()?;
        let rest = i64::try_from(product.checked_rem(total)?.checked_abs()?).ok()?;
        Some((cut, rest))
    }
}

/// Of the rests in `parts`, the smallest that gains one of so many units, and how many parts with
/// just that rest do. Changes the order of the parts.
fn least_rest_that_gains(parts: &mut [Money], units: u64) -> (i64, u64) {
    let last = usize::try_from(units).ok().and_then(|units| units.checked_sub(1));
    let Some(last) = last.filter(|last| *last < parts.len()) else {
        return (i64::MAX, 0);
    };
    let descending = |a: &Money, b: &Money| b.minor().cmp(&a.minor());
    let (before, least, _) = parts.select_nth_unstable_by(last, descending);
    let ties = before.iter().filter(|part| part.minor() == least.minor()).count();
    (least.minor(), u64::try_from(ties).unwrap_or(u64::MAX).saturating_add(1))
}
