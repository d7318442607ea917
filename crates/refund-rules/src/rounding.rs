//! Named roundings for a division, each with a negative example; knows nothing of currencies.

/// What happens to the part of a quotient that is smaller than one.
///
/// | rounding | 5/2 | −5/2 | 7/2 | −7/2 | 7/3 | −7/3 |
/// |---|---|---|---|---|---|---|
/// | `HalfEven` | 2 | −2 | 4 | −4 | 2 | −2 |
/// | `HalfAwayFromZero` | 3 | −3 | 4 | −4 | 2 | −2 |
/// | `TowardZero` | 2 | −2 | 3 | −3 | 2 | −2 |
/// | `AwayFromZero` | 3 | −3 | 4 | −4 | 3 | −3 |
/// | `Floor` | 2 | −3 | 3 | −4 | 2 | −3 |
/// | `Ceiling` | 3 | −2 | 4 | −3 | 3 | −2 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller that matches must handle every rounding")]
pub enum Rounding {
    /// To the nearest; a tie goes to the even neighbour: −5/2 is −2.
    HalfEven,
    /// To the nearest; a tie goes away from zero: −5/2 is −3.
    HalfAwayFromZero,
    /// The fraction is dropped: −5/2 is −2.
    TowardZero,
    /// Any fraction counts as a whole: −5/2 is −3.
    AwayFromZero,
    /// Down to the smaller neighbour: −5/2 is −3.
    Floor,
    /// Up to the larger neighbour: −5/2 is −2.
    Ceiling,
}

impl Rounding {
    /// Divides and rounds; `None` when the divisor is zero or the quotient does not fit.
    #[must_use]
    pub fn divide(self, dividend: i128, divisor: i128) -> Option<i128> {
        let quotient = dividend.checked_div(divisor)?;
        let rest = dividend.checked_rem(divisor)?;
        // The rest is smaller than the divisor, so the distance between them is the other half.
        let size = rest.unsigned_abs();
        let other = divisor.unsigned_abs().abs_diff(size);
        let negative = rest.is_negative() != divisor.is_negative();
        let cut = Cut { size, other, negative, odd: quotient & 1 != 0 };
        quotient.checked_add(self.step(&cut).into())
    }

    /// `a × b ÷ c`, exactly, then rounded; `None` when `c` is zero or the quotient does not fit.
    #[inline]
    pub(crate) fn multiply_divide(self, a: i64, b: i64, c: i64) -> Option<i64> {
        let Some(dividend) = a.checked_mul(b) else {
            // The product of two 64-bit numbers always fits into 128 bits.
            let dividend = i128::from(a).checked_mul(i128::from(b))?;
            return i64::try_from(self.divide(dividend, i128::from(c))?).ok();
        };
        // Ordinary amounts come here, where a division takes a tenth of the time.
        let quotient = dividend.checked_div(c)?;
        let rest = dividend.checked_rem(c)?;
        let size = rest.unsigned_abs();
        let other = c.unsigned_abs().abs_diff(size);
        let negative = rest.is_negative() != c.is_negative();
        let cut = Cut { size, other, negative, odd: quotient & 1 != 0 };
        quotient.checked_add(self.step(&cut).into())
    }

    /// How far a quotient that was cut off goes: −1, 0 or 1. Without branches, for nobody can foretell
    /// which way the next share is rounded, the processor least of all.
    #[inline]
    fn step<T: Copy + Default + PartialOrd>(self, cut: &Cut<T>) -> i8 {
        let away = match self {
            Self::TowardZero => false,
            Self::AwayFromZero => true,
            Self::Floor => cut.negative,
            Self::Ceiling => !cut.negative,
            Self::HalfEven if cut.size == cut.other => cut.odd,
            Self::HalfEven => cut.size > cut.other,
            Self::HalfAwayFromZero => cut.size >= cut.other,
        };
        let away = away & (cut.size != T::default());
        let direction = if cut.negative { -1 } else { 1 };
        if away { direction } else { 0 }
    }
}

/// What a division cuts off.
struct Cut<T> {
    /// How much, without a sign.
    size: T,
    /// How much was missing to a whole.
    other: T,
    /// Is the exact quotient below zero?
    negative: bool,
    /// Is the quotient odd that is left?
    odd: bool,
}

#[cfg(test)]
mod tests {
    use super::Rounding::{self, *};

    #[test]
    fn the_table_in_the_documentation_holds() {
        let cases = [(5, 2), (-5, 2), (7, 2), (-7, 2), (7, 3), (-7, 3)];
        let rows: [(Rounding, [i128; 6]); 6] = [
            (HalfEven, [2, -2, 4, -4, 2, -2]),
            (HalfAwayFromZero, [3, -3, 4, -4, 2, -2]),
            (TowardZero, [2, -2, 3, -3, 2, -2]),
            (AwayFromZero, [3, -3, 4, -4, 3, -3]),
            (Floor, [2, -3, 3, -4, 2, -3]),
            (Ceiling, [3, -2, 4, -3, 3, -2]),
        ];
        for (rounding, expected) in rows {
            for ((dividend, divisor), expected) in cases.into_iter().zip(expected) {
                assert_eq!(rounding.divide(dividend, divisor), Some(expected), "{rounding:?}");
                assert_eq!(rounding.divide(-dividend, -divisor), Some(expected), "{rounding:?}");
                let narrow = |wide: i128| i64::try_from(wide).unwrap();
                for sign in [1, -1] {
                    let quotient = rounding.multiply_divide(
                        narrow(sign * dividend),
                        1,
                        narrow(sign * divisor),
                    );
                    assert_eq!(quotient, Some(narrow(expected)), "{rounding:?}");
                }
            }
        }
    }

    #[test]
    fn the_edges_of_the_range_do_not_panic() {
        for rounding in [HalfEven, HalfAwayFromZero, TowardZero, AwayFromZero, Floor, Ceiling] {
            assert_eq!(rounding.divide(1, 0), None);
            assert_eq!(rounding.divide(i128::MIN, -1), None);
            assert_eq!(rounding.divide(i128::MIN, 1), Some(i128::MIN));
            assert_eq!(rounding.divide(0, i128::MIN), Some(0));
            assert_eq!(rounding.divide(i128::MIN, i128::MIN), Some(1));
            assert_eq!(rounding.multiply_divide(1, 1, 0), None);
            assert_eq!(rounding.multiply_divide(i64::MIN, 1, -1), None);
            assert_eq!(rounding.multiply_divide(i64::MIN, -1, -1), Some(i64::MIN));
            assert_eq!(rounding.multiply_divide(i64::MAX, i64::MIN, i64::MAX), Some(i64::MIN));
            assert_eq!(rounding.multiply_divide(i64::MAX, 2, 1), None);
        }
    }
}
