//! From the services' spelling to Rust's.

/// `FPSFeesPaidBy` to `fps_fees_paid_by`, `refundId` to `refund_id`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if begins_word && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// `refund_id` to `REFUND_ID`.
pub(crate) fn constant(rust_name: &str) -> String {
    rust_name.to_uppercase()
}

/// `InactiveAccount_Caller` to `InactiveAccountCaller`.
pub(crate) fn camel(name: &str) -> String {
    name.split('_').collect()
}

#[cfg(test)]
mod tests {
    use super::{camel, snake};

    #[test]
    fn names_are_split_where_words_begin() {
        let rows = [
            ("TransactionId", "transaction_id"),
            ("FPSFeesPaidBy", "fps_fees_paid_by"),
            ("FPSOperation", "fps_operation"),
            ("refundId", "refund_id"),
            ("OverrideIPNURL", "override_ipnurl"),
        ];
        for (name, expected) in rows {
            assert_eq!(snake(name), expected);
        }
        assert_eq!(camel("InactiveAccount_Caller"), "InactiveAccountCaller");
    }
}
