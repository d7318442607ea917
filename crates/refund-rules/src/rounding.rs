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
    pub const fn divide(self, dividend: i128, divisor: i128) -> Option<i128> {
        let (Some(quotient), Some(rest)) =
            (dividend.checked_div(divisor), dividend.checked_rem(divisor))
        else {
            return None;
        };
        if rest == 0 {
            return Some(quotient);
        }
        let negative = (rest < 0) != (divisor < 0);
        let away = match self {
            Self::TowardZero => false,
            Self::AwayFromZero => true,
            Self::Floor => negative,
            Self::Ceiling => !negative,
            Self::HalfEven | Self::HalfAwayFromZero => {
                // `rest < divisor` in size, so the distance to the divisor is the other half.
                let rest = rest.unsigned_abs();
                let other = divisor.unsigned_abs().abs_diff(rest);
                let tie_goes_away = matches!(self, Self::HalfAwayFromZero) || quotient & 1 != 0;
                rest > other || (rest == other && tie_goes_away)
            }
        };
        match (away, negative) {
            (false, _) => Some(quotient),
            (true, false) => quotient.checked_add(1),
            (true, true) => quotient.checked_sub(1),
        }
    }
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
        }
    }
}
