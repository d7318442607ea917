//! What the service is asked about a notification: what arrived and nothing else, and nothing that two
//! parsers could read in two ways.

use fps_sign::Error;
use fps_sign::outbound::Question;

const BODY: &str = include_str!("vectors/outbound/seed001-ipn-refund-success/body.form");
const ADDRESS: &str = "http://vamsik.desktop.amazon.com:8080/ipn.jsp";

#[test]
fn the_question_is_what_arrived() {
    for address in [ADDRESS.to_owned(), format!("{ADDRESS}?shop=7"), format!("{ADDRESS}#top")] {
        for body in [BODY.to_owned(), format!("&{BODY}&&"), BODY.replace("%20", "+")] {
            let question = Question::read(&address, &body).unwrap();
            assert_eq!(question.url_end_point(), ADDRESS);
            assert_eq!(question.http_parameters(), body);
            let printed = format!("{question:?}");
            assert!(printed.contains("ipn.jsp") && !printed.contains("Business"), "{printed}");
            let vouched = question.vouched_for_by_the_service();
            let expected = fps_sign::parse_form(BODY).unwrap();
            assert_eq!(vouched.get(), &expected);
            let first = vouched.try_map(|params| params.first().cloned().ok_or(())).unwrap();
            assert_eq!(first.into_inner().0, "transactionId");
        }
    }
}

#[test]
fn a_return_url_is_asked_about_in_the_same_way() {
    let line = include_str!("vectors/outbound/boto-return-url/request.txt");
    let params = line.lines().filter_map(|line| line.split_once('='));
    let query: Vec<_> = params
        .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(|(name, value)| {
            let mut pair = format!("{name}=");
            fps_sign::percent_encode(value, &mut pair);
            pair
        })
        .collect();
    let query = query.join("&");
    let question = Question::read("http://vamsik.desktop.amazon.com:8080/ipn.jsp", &query).unwrap();
    assert_eq!(question.http_parameters(), query);
}

#[test]
fn what_could_be_read_in_two_ways_is_not_asked() {
    let malformed = Err(Error::Malformed("the form"));
    for added in [
        "transactionStatus",
        "=SUCCESS",
        "a=1;transactionStatus=SUCCESS",
        "a=%",
        "a=%2",
        "a=%zz",
        "a=%2%30",
        "a=%u0041",
        "a=b c",
        "a=\t",
        "a=\0",
        "a=é",
        "a=\"",
        "a=<",
        "a=\\",
        "a=b#c",
    ] {
        for body in [format!("{BODY}&{added}"), format!("{added}&{BODY}")] {
            assert_eq!(Question::read(ADDRESS, &body).map(|_| ()), malformed, "{added}");
        }
    }
    for harmless in ["a=b=c==", "a=", "a.b_c-d~e*f!g(h)=:/@,'$", "a=%C3%A9"] {
        let body = format!("{BODY}&{harmless}");
        Question::read(ADDRESS, &body).unwrap();
    }
    // The limits of every form.
    let long = format!("{BODY}&a={}", "a".repeat(64 * 1024));
    assert_eq!(Question::read(ADDRESS, &long).map(|_| ()), malformed);
}

#[test]
fn only_a_whole_signature_of_version_two_is_asked_about() {
    for (name, value) in [
        ("signature", "sDq9YvW7"),
        ("signatureVersion", "2"),
        ("signatureMethod", "RSA-SHA1"),
        ("certificateUrl", "https"),
    ] {
        let given = format!("&{name}={value}");
        assert!(BODY.contains(&given), "{given}");
        let missing = BODY.replacen(&given, &format!("&other={value}"), 1);
        let read = Question::read(ADDRESS, &missing).map(|_| ());
        assert_eq!(read, Err(Error::Missing(name)));
        let doubled = format!("{BODY}{given}");
        let read = Question::read(ADDRESS, &doubled).map(|_| ());
        assert_eq!(read, Err(Error::Duplicate(name.to_owned())));
    }
    let older = BODY.replace("signatureVersion=2", "signatureVersion=1");
    assert!(matches!(Question::read(ADDRESS, &older), Err(Error::Unsupported { .. })));
    let nowhere = Question::read("ftp://shop.example/", BODY).map(|_| ());
    assert_eq!(nowhere, Err(Error::Malformed("the merchant's address")));
}
