//! Keys of refunds: the derived ones for ever the same, and none that a service would not take.

use std::collections::BTreeSet;

use fps::{CallerReference, IdempotencyKey, Key};

/// Computed apart from this code, by Python's hashlib:
/// `sha256(b"fps key 1" + b"".join(len(p).to_bytes(8, "big") + p for p in parts)).hexdigest()[:32]`.
/// If one of them changes, refunds that are under way are made twice: a new version must not.
fn golden() -> Vec<(Vec<Vec<u8>>, &'static str)> {
    let parts = |parts: &[&str]| parts.iter().map(|part| part.as_bytes().to_vec()).collect();
    vec![
        (parts(&[]), "14fd0ff63fd0aa7775314ea5a12ac353"),
        (parts(&[""]), "bc4b53c671fb2dc3a476ecdbd70e350c"),
        (parts(&["", ""]), "65735ad4251a4de188af6e3a1801f5ac"),
        (parts(&["order-4711", "line-2", "refund-1"]), "ffa8c575afc17fa0fa56004c1a65a15f"),
        (parts(&["order-4711", "line-2", "refund-2"]), "c2f1b80040ca53f17218b40024d6f076"),
        (parts(&["ab", "c"]), "adf3a6f46819860fb9c192da340cf8b7"),
        (parts(&["a", "bc"]), "9ca7160854975621a055f77f35e0ce95"),
        (parts(&["abc"]), "20a23fc2d35cb9a39a041e8a02d041c7"),
        (parts(&["注文-4711", "1"]), "b83d2ad2714ddf3ea77b6d406eff22da"),
        (parts(&[&"x".repeat(1000), "1"]), "de71425bad11b62d7c7c230f7d212d39"),
        (vec![vec![0x00, 0xff]], "de4233d2bfb59906d296fa5d4faf2f1c"),
    ]
}

#[test]
fn a_derived_key_never_changes() {
    for (parts, key) in golden() {
        assert_eq!(Key::derive(&parts).to_string(), key, "{parts:?}");
    }
    // Whatever the parts are written in.
    let owned = ["order-4711", "line-2", "refund-1"].map(str::to_owned);
    assert_eq!(Key::derive(&owned), Key::derive(owned.each_ref().map(String::as_str)));
}

#[test]
fn no_two_lists_of_parts_have_one_key() {
    // Every list of up to four parts out of a few that imitate each other's ends and lengths.
    let words: [&[u8]; 7] =
        [b"", b"a", b"aa", b"\0", b"\0\0\0\0\0\0\0\x01", b"\0\0\0\0\0\0\0\x01a", b"fps key 1"];
    let mut lists: Vec<Vec<&[u8]>> = vec![Vec::new()];
    let mut begin = 0;
    for _ in 0..4 {
        let end = lists.len();
        for index in begin..end {
            for word in words {
                let mut longer = lists[index].clone();
                longer.push(word);
                lists.push(longer);
            }
        }
        begin = end;
    }
    let keys: BTreeSet<_> = lists.iter().map(Key::derive).collect();
    assert_eq!((lists.len(), keys.len()), (2801, 2801));
}

#[test]
fn both_services_take_every_key() {
    let drawn = (0..1000).map(|_| Key::random().unwrap());
    let derived = golden().into_iter().map(|(parts, _)| Key::derive(parts));
    for key in drawn.chain(derived) {
        let text = key.to_string();
        assert_eq!(text.len(), 32, "{text}");
        assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z')), "{text}");
        // The conversions go around the checks: the checks must agree.
        assert_eq!(IdempotencyKey::from(key), IdempotencyKey::new(text.as_str()).unwrap());
        assert_eq!(CallerReference::from(key), CallerReference::new(text.as_str()).unwrap());
    }
}

#[test]
fn random_keys_differ_in_every_place() {
    let keys: BTreeSet<_> = (0..1000).map(|_| Key::random().unwrap().to_string()).collect();
    assert_eq!(keys.len(), 1000);
    for place in 0..32 {
        let seen: BTreeSet<_> = keys.iter().map(|key| key.as_bytes()[place]).collect();
        assert_eq!(seen.len(), 16, "place {place}");
    }
}
