//! The currencies against a list that somebody else keeps: the crate `iso_currency`.

use std::collections::{BTreeMap, BTreeSet};

use iso_currency::IntoEnumIterator;
use refund_rules::Currency;

/// Where the other list differs, and why ours stays.
const DIFFER: [(&str, &str); 3] = [
    ("BGN", "Bulgaria took the euro on 1 January 2026"),
    ("VES", "the other list leaves its exponent out; ISO 4217 says 2"),
    ("XAD", "the Arab accounting dinar, added in 2025"),
];

#[test]
fn every_currency_has_the_exponent_of_the_other_list() {
    let ours: BTreeMap<String, u16> = Currency::all()
        .map(|currency| (currency.code().to_owned(), u16::from(currency.exponent())))
        .collect();
    let theirs: BTreeMap<String, u16> = iso_currency::Currency::iter()
        .filter(|currency| currency.is_superseded().is_none())
        .filter_map(|currency| Some((currency.code().to_owned(), currency.exponent()?)))
        .collect();
    let differ: BTreeSet<&str> = ours
        .keys()
        .chain(theirs.keys())
        .filter(|code| ours.get(*code) != theirs.get(*code))
        .map(String::as_str)
        .collect();
    assert_eq!(differ, BTreeSet::from(DIFFER.map(|(code, _)| code)));
    assert!(ours.len() > 150, "{}", ours.len());
}
