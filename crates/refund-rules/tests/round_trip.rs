//! Every amount up to ten million minor units is printed, read back, and printed by an independent
//! writer; nothing is sampled.

#![expect(clippy::unwrap_used, reason = "an amount that cannot be read is a failed test")]

use std::fmt::Write;

use refund_rules::{Currency, Money};

const LARGEST: i64 = 10_000_000;

/// Counts like an odometer, digit by digit, so that no division takes part in the expected text.
struct Odometer {
    digits: Vec<u8>,
    decimals: usize,
}

impl Odometer {
    fn new(decimals: usize) -> Self {
        Self { digits: vec![b'0'; decimals + 1], decimals }
    }

    fn write(&self, text: &mut String) {
        text.clear();
        let (whole, decimals) = self.digits.split_at(self.digits.len() - self.decimals);
        text.push_str(std::str::from_utf8(whole).unwrap());
        if !decimals.is_empty() {
            text.push('.');
            text.push_str(std::str::from_utf8(decimals).unwrap());
        }
    }

    fn advance(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.digits.insert(0, b'1');
    }
}

fn every_amount_in(currency: Currency) {
    let mut odometer = Odometer::new(usize::from(currency.exponent()));
    let (mut expected, mut printed) = (String::new(), String::new());
    for minor in 0..=LARGEST {
        odometer.write(&mut expected);
        let money = Money::from_minor(minor, currency);
        printed.clear();
        write!(printed, "{money}").unwrap();
        assert_eq!(printed, expected);
        assert_eq!(Money::parse(&printed, currency), Ok(money));
        odometer.advance();
    }
}

#[test]
fn every_amount_without_decimals() {
    every_amount_in(Currency::JPY);
}

#[test]
fn every_amount_with_two_decimals() {
    every_amount_in(Currency::USD);
}

#[test]
fn every_amount_with_three_decimals() {
    every_amount_in(Currency::KWD);
}
