//! SOAP envelopes with any byte changed, and XML that is broken or meant to hurt.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

mod refund_envelope;

use fps_sign::Error;
use fps_sign::soap::{Canonicalization, Claim, canonicalize};
use proptest::prelude::*;
use proptest::sample::Index;
use refund_envelope::{EXC_C14N, certificate, good, part, unsupported, verify};

#[test]
fn every_changed_byte_is_refused_or_changes_nothing_that_is_handed_on() {
    let envelope = good();
    let wanted = verify(&envelope).unwrap();
    let (mut refused, mut accepted) = (0, 0);
    for position in 0..envelope.len() {
        for other in *b"A b\n\"<" {
            let mut bytes = envelope.clone().into_bytes();
            if std::mem::replace(&mut bytes[position], other) == other {
                continue;
            }
            let verdict = Claim::read(&bytes).and_then(|claim| claim.verify(&certificate()));
            match verdict {
                Ok(signed) => {
                    accepted += 1;
                    let place = &envelope[position.saturating_sub(20)..][..40];
                    assert_eq!(signed.get(), &wanted, "{position} {other} near {place}");
                }
                Err(_) => refused += 1,
            }
        }
    }
    // The accepted ones are outside of what is signed, or blanks for blanks within tags.
    assert_eq!((refused, accepted), (24_255, 114));
}

#[test]
fn every_missing_piece_is_refused_or_changes_nothing_that_is_handed_on() {
    let envelope = good();
    let wanted = verify(&envelope).unwrap();
    for length in [1, 2, 7, 30] {
        for position in 0..envelope.len() - length {
            let cut = [&envelope[..position], &envelope[position + length..]].concat();
            if let Ok(signed) = verify(&cut) {
                assert_eq!(signed, wanted, "{position}");
            }
        }
        assert!(verify(&envelope[..envelope.len() - length]).is_err());
    }
}

#[test]
fn input_without_bounds_is_refused() {
    let good = good();
    let within = |xml: &str| canonicalize(xml, None, &Canonicalization::exclusive());
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    within(&nested(32)).unwrap();
    let too_deep = unsupported("the depth of the XML", "at most 32");
    assert_eq!(within(&nested(33)).unwrap_err(), too_deep);
    assert_eq!(within(&"<a>".repeat(80_000)).unwrap_err(), too_deep);

    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    within(&wide(4096)).unwrap();
    let too_many = unsupported("the number of elements", "at most 4096");
    assert_eq!(within(&wide(4097)).unwrap_err(), too_many);

    let attributes = |count: usize| {
        let list: String = (0..count).map(|index| format!(" a{index}=''")).collect();
        format!("<a{list}/>")
    };
    within(&attributes(64)).unwrap();
    let too_many = unsupported("the number of attributes of an element", "at most 64");
    assert_eq!(within(&attributes(65)).unwrap_err(), too_many);

    let scope = |count: usize| {
        let open: String = (0..count).map(|index| format!("<a xmlns:n{index}='urn:n'>")).collect();
        format!("<a xmlns='urn:a'>{}<b {}/></a>", open.replace("'>", "'/>"), {
            (0..count).map(|index| format!(" xmlns:n{index}='urn:n'")).collect::<String>()
        })
    };
    within(&scope(63)).unwrap();
    let too_many = unsupported("the number of namespaces in scope", "at most 64");
    assert_eq!(within(&scope(64)).unwrap_err(), too_many);

    let large = format!("<a>{}</a>", "x".repeat(256 * 1024 - 7));
    within(&large).unwrap();
    let too_large = unsupported("the size of the XML", "at most 256 KiB");
    assert_eq!(within(&format!("{large} ")).unwrap_err(), too_large);

    // A namespace of 100 kB, written out at every one of a thousand elements.
    let namespace = "x".repeat(100_000);
    let amplified = format!("<a xmlns:n='urn:{namespace}'>{}</a>", "<n:b/>".repeat(1000));
    let too_large = unsupported("the size of a canonical form", "at most 1 MiB");
    assert_eq!(within(&amplified).unwrap_err(), too_large);

    let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
    assert_eq!(within(laughs).unwrap_err(), unsupported("a document type", "XML without one"));

    let list = "p ".repeat(65);
    let prefixes = format!("<InclusiveNamespaces xmlns=\"{EXC_C14N}\" PrefixList=\"{list}\"/>");
    let transform = part(&good, "<ds:Transform ", ">");
    let with_list = good.replacen(transform, &format!("{transform}{prefixes}"), 1);
    let too_long = unsupported("the length of ec:InclusiveNamespaces", "at most 64 prefixes");
    assert_eq!(verify(&with_list).unwrap_err(), too_long);

    let ids: String = (0..4000).map(|index| format!("<i Id=\"{index}\"/>")).collect();
    let header = format!("<w xmlns=\"urn:w\">{ids}</w></soap:Header>");
    verify(&good.replacen("</soap:Header>", &header, 1)).unwrap();
}

#[test]
fn xml_that_is_not_well_formed_is_not_read() {
    for xml in [
        "",
        " ",
        "<",
        "<a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "text",
        "<a/>text",
        "text<a/>",
        "<a/>&amp;",
        "<a/><![CDATA[]]>",
        " <?xml version='1.0'?><a/>",
        "<?xml?><a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
        "<?xml encoding='utf-8'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<?xml version='1.0' more=''?><a/>",
        "<?xml version='1.0' standalone='no' encoding='utf-8'?><a/>",
        "<?xml version='1.0'><a/>",
        "<a b/>",
        "<a b=c/>",
        "<a b='c/>",
        "<a b='c'd='e'/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<a b='&'/>",
        "<a b='&c'/>",
        "<a b='&c;'/>",
        "<a>&</a>",
        "<a>&c;</a>",
        "<a>&;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#+65;</a>",
        "<a>&#x+41;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#x110000;</a>",
        "<a>&#99999999999;</a>",
        "<a>&#X41;</a>",
        "<a>]]></a>",
        "<a><![CDATA[</a>",
        "<a><![cdata[]]></a>",
        "<a>\u{1}</a>",
        "<a>\u{ffff}</a>",
        "<a b='\u{1b}'/>",
        "< a/>",
        "<1/>",
        "<-/>",
        "<a:/>",
        "<:a/>",
        "<a:b:c/>",
        "<a/ >",
        "<a></a b>",
        "<a></ a>",
        "<a><!-- -- --></a>",
        "<a><!-- ---></a>",
        "<a xmlns='relative'/>",
        "<a xmlns='/relative'/>",
        "<a xmlns=':'/>",
        "<a xmlns='1:'/>",
        "<a xmlns:p=''/>",
        "<a xmlns:p='urn:a' xmlns:p='urn:b'/>",
        "<a xmlns:1='urn:a'/>",
        "<a xmlns:='urn:a'/>",
        "<a xmlns:xmlns='urn:a'/>",
        "<a xmlns:xml='urn:a'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<xmlns:a/>",
        "<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='1' q:b='2'/>",
        "\u{feff}\u{feff}<a/>",
        "<?xml version='1.0'?>\u{feff}<a/>",
    ] {
        let said = canonicalize(xml, None, &Canonicalization::exclusive());
        assert_eq!(said.unwrap_err(), Error::Malformed("the XML"), "{xml:?}");
    }
    for xml in ["<p:a/>", "<a p:b=''/>", "<a><b xmlns:p='urn:a'/><p:c/></a>"] {
        let said = canonicalize(xml, None, &Canonicalization::exclusive());
        let undeclared = Error::Malformed("a namespace prefix without declaration");
        assert_eq!(said.unwrap_err(), undeclared, "{xml:?}");
    }
    for bytes in [&b"<a>\xff</a>"[..], b"\xff\xfe<\0a\0/\0>\0", b"<a>\xed\xa0\x80</a>"] {
        assert_eq!(Claim::read(bytes).unwrap_err(), Error::Malformed("the XML"), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Claim::read(&bytes).is_err());
    }

    #[test]
    fn no_markup_makes_the_reader_panic(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<", ">", "/", "</", "/>", "<a", "<a>", "</a>", "<!", "<!--", "-->", "--", "<?", "?>",
                "<?xml version='1.0'?>", "<![CDATA[", "]]>", "<!DOCTYPE", "[", "]", "&", ";", "&#",
                "&#x41;", "&amp;", "=", "'", "\"", " ", "\r", "\n", "xmlns", ":", "p:",
                "xmlns:p='urn:p'", "a='b'", "\u{feff}", "\u{e9}",
            ]),
            0..40,
        )
    ) {
        let _ = canonicalize(&pieces.concat(), None, &Canonicalization::Inclusive);
        prop_assert!(Claim::read(pieces.concat().as_bytes()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Pieces of the envelope go anywhere in it: nothing else than what was signed is handed on.
    #[test]
    fn no_rearranged_envelope_hands_on_anything_else(
        cuts in prop::collection::vec(any::<(Index, Index, Index, bool)>(), 1..4)
    ) {
        let mut envelope = good();
        let wanted = verify(&envelope).unwrap();
        for (from, to, at, moves) in cuts {
            // At the ends of tags, so that more of it is XML.
            let (one, other) = (end_of_a_tag(&envelope, from), end_of_a_tag(&envelope, to));
            let (begin, end) = (one.min(other), one.max(other));
            let piece = envelope[begin..end].to_owned();
            if moves {
                envelope.replace_range(begin..end, "");
            }
            envelope.insert_str(end_of_a_tag(&envelope, at), &piece);
        }
        if let Ok(signed) = verify(&envelope) {
            prop_assert_eq!(signed, wanted);
        }
    }
}

fn end_of_a_tag(text: &str, index: Index) -> usize {
    let ends: Vec<usize> = text.match_indices('>').map(|(index, _)| index + 1).collect();
    if ends.is_empty() { 0 } else { *index.get(&ends) }
}
