//! ISO 4217 codes and their minor-unit exponents; knows nothing of amounts.

use core::fmt;

/// An active ISO 4217 currency: its code and how many decimals its minor unit has.
///
/// Codes without a minor unit (metals, funds of account, test codes) are not payable and are left
/// out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(align(4))]
pub struct Currency {
    /// The three letters and the exponent. Every calculation compares them, and four aligned bytes
    /// are compared, copied and returned as one number.
    bytes: [u8; 4],
}

/// The text is not an active ISO 4217 code, in upper case, with a minor unit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownCurrency;

impl fmt::Display for UnknownCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the currency is not an active ISO 4217 code of three capital letters")
    }
}

impl core::error::Error for UnknownCurrency {}

impl Currency {
    /// Euro, two decimals.
    pub const EUR: Self = Self::new(*b"EUR", 2);
    /// Pound sterling, two decimals.
    pub const GBP: Self = Self::new(*b"GBP", 2);
    /// Yen, no decimals.
    pub const JPY: Self = Self::new(*b"JPY", 0);
    /// Kuwaiti dinar, three decimals.
    pub const KWD: Self = Self::new(*b"KWD", 3);
    /// US dollar, two decimals.
    pub const USD: Self = Self::new(*b"USD", 2);

    const fn new([a, b, c]: [u8; 3], exponent: u8) -> Self {
        Self { bytes: [a, b, c, exponent] }
    }

    /// Finds an active currency by its code, for instance `USD`.
    ///
    /// # Errors
    /// [`UnknownCurrency`] when the text is no active code in capital letters.
    pub fn from_code(code: &str) -> Result<Self, UnknownCurrency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        let odd = ODD_EXPONENTS.iter().find(|(known, _)| *known == bytes);
        let exponent = match odd {
            Some(&(_, exponent)) => exponent,
            None if TWO_DECIMALS.binary_search(&&bytes).is_ok() => 2,
            None => return Err(UnknownCurrency),
        };
        Ok(Self::new(bytes, exponent))
    }

    /// Every active currency, in no promised order.
    pub fn all() -> impl Iterator<Item = Self> {
        let odd = ODD_EXPONENTS.iter().map(|&(code, exponent)| Self::new(code, exponent));
        odd.chain(TWO_DECIMALS.iter().map(|&&code| Self::new(code, 2)))
    }

    /// The three capital letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // The bytes come from a `&str` of three ASCII letters, so this never falls back.
        let (code, _) = self.bytes.split_at(3);
        core::str::from_utf8(code).unwrap_or("???")
    }

    /// How many decimals the minor unit has: 0, 2, 3 or 4.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        let [.., exponent] = self.bytes;
        exponent
    }

    /// How many minor units make one major unit: 1, 100, 1,000 or 10,000.
    #[must_use]
    pub const fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent() as u32)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// Currencies whose minor unit is not the hundredth. ISO 4217, list one, as of 2026.
const ODD_EXPONENTS: [([u8; 3], u8); 26] = [
    (*b"BHD", 3),
    (*b"BIF", 0),
    (*b"CLF", 4),
    (*b"CLP", 0),
    (*b"DJF", 0),
    (*b"GNF", 0),
    (*b"IQD", 3),
    (*b"ISK", 0),
    (*b"JOD", 3),
    (*b"JPY", 0),
    (*b"KMF", 0),
    (*b"KRW", 0),
    (*b"KWD", 3),
    (*b"LYD", 3),
    (*b"OMR", 3),
    (*b"PYG", 0),
    (*b"RWF", 0),
    (*b"TND", 3),
    (*b"UGX", 0),
    (*b"UYI", 0),
    (*b"UYW", 4),
    (*b"VND", 0),
    (*b"VUV", 0),
    (*b"XAF", 0),
    (*b"XOF", 0),
    (*b"XPF", 0),
];

/// Currencies whose minor unit is the hundredth. ISO 4217, list one, as of 2026.
#[rustfmt::skip]
const TWO_DECIMALS: &[&[u8; 3]] = &[
    b"AED", b"AFN", b"ALL", b"AMD", b"AOA", b"ARS", b"AUD", b"AWG", b"AZN", b"BAM", b"BBD", b"BDT",
    b"BMD", b"BND", b"BOB", b"BOV", b"BRL", b"BSD", b"BTN", b"BWP", b"BYN", b"BZD", b"CAD", b"CDF",
    b"CHE", b"CHF", b"CHW", b"CNY", b"COP", b"COU", b"CRC", b"CUP", b"CVE", b"CZK", b"DKK", b"DOP",
    b"DZD", b"EGP", b"ERN", b"ETB", b"EUR", b"FJD", b"FKP", b"GBP", b"GEL", b"GHS", b"GIP", b"GMD",
    b"GTQ", b"GYD", b"HKD", b"HNL", b"HTG", b"HUF", b"IDR", b"ILS", b"INR", b"IRR", b"JMD", b"KES",
    b"KGS", b"KHR", b"KPW", b"KYD", b"KZT", b"LAK", b"LBP", b"LKR", b"LRD", b"LSL", b"MAD", b"MDL",
    b"MGA", b"MKD", b"MMK", b"MNT", b"MOP", b"MRU", b"MUR", b"MVR", b"MWK", b"MXN", b"MXV", b"MYR",
    b"MZN", b"NAD", b"NGN", b"NIO", b"NOK", b"NPR", b"NZD", b"PAB", b"PEN", b"PGK", b"PHP", b"PKR",
    b"PLN", b"QAR", b"RON", b"RSD", b"RUB", b"SAR", b"SBD", b"SCR", b"SDG", b"SEK", b"SGD", b"SHP",
    b"SLE", b"SOS", b"SRD", b"SSP", b"STN", b"SVC", b"SYP", b"SZL", b"THB", b"TJS", b"TMT", b"TOP",
    b"TRY", b"TTD", b"TWD", b"TZS", b"UAH", b"USD", b"USN", b"UYU", b"UZS", b"VED", b"VES", b"WST",
    b"XAD", b"XCD", b"XCG", b"YER", b"ZAR", b"ZMW", b"ZWG",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_sorted_and_do_not_overlap() {
        assert!(ODD_EXPONENTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TWO_DECIMALS.windows(2).all(|pair| pair[0] < pair[1]));
        for (code, _) in ODD_EXPONENTS {
            assert!(TWO_DECIMALS.binary_search(&&code).is_err());
        }
    }

    #[test]
    fn every_currency_is_found_by_its_own_code() {
        for currency in Currency::all() {
            assert_eq!(Currency::from_code(currency.code()), Ok(currency));
        }
    }

    #[test]
    fn unknown_lower_case_and_overlong_codes_are_refused() {
        for text in ["", "US", "usd", "USDX", "XAU", "XXX", "DEM", "U\u{df}"] {
            assert_eq!(Currency::from_code(text), Err(UnknownCurrency), "{text}");
        }
    }
}
