//! What it costs to read and write an FPS answer and an Amazon Pay refund, beside quick-xml's bare events
//! and serde_json with the same types in the same run. Prints; fails for nothing.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use fps_model::amazon_pay::{self, ApiVersion, GetRefund};
use fps_model::flexible_payments::{Dialect, Refund};
use fps_model::{CallerReference, Operation, Params, Serve};
use quick_xml::events::Event;
use refund_rules::{Currency, Money};

#[path = "../tests/refused/inputs.rs"]
mod inputs;

const ROUNDS: u32 = 20_000;
const REPEATS: usize = 25;

const REFUND_RESPONSE: &str = include_str!("../tests/samples/refund-response.xml");
const REFUND_JSON: &str = include_str!("../tests/samples/get-refund-response.json");

/// Nanoseconds for one run: the least of several, which is the one least disturbed.
fn measure<R>(work: impl Fn() -> R) -> f64 {
    let run = || {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            black_box(work());
        }
        begun.elapsed().as_secs_f64()
    };
    let least = (0..REPEATS).map(|_| run()).fold(f64::INFINITY, f64::min);
    least * 1e9 / f64::from(ROUNDS)
}

/// The floor for XML: every event of the document, with the texts that a reader would keep.
fn bare_events(text: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut kept = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => kept += start.local_name().into_inner().len(),
            Event::Text(text) => kept += black_box(text.to_string()).len(),
            Event::Eof => return kept,
            _ => {}
        }
    }
}

fn row(what: &str, ours: f64, floor: f64) {
    println!("{what:<34} {ours:>9.0} ns  floor {floor:>7.0} ns  ratio {:>5.2}", ours / floor);
}

fn main() {
    let xml = REFUND_RESPONSE.trim_end();
    let answer = Refund::decode(xml.as_bytes(), Dialect::default()).unwrap();
    println!("RefundResponse, {} bytes; the floor is quick-xml's events", xml.len());
    row(
        "parse RefundResponse",
        measure(|| Refund::decode(black_box(xml).as_bytes(), Dialect::default()).unwrap()),
        measure(|| bare_events(black_box(xml))),
    );
    let text = String::from_utf8(Refund::write_answer(&answer, Dialect::default())).unwrap();
    row(
        "write RefundResponse",
        measure(|| Refund::write_answer(black_box(&answer), Dialect::default())),
        measure(|| black_box(&text).clone()),
    );

    let json = serde_json::from_str::<serde_json::Value>(REFUND_JSON).unwrap().to_string();
    let refund: amazon_pay::Refund = serde_json::from_str(&json).unwrap();
    println!("refund JSON, {} bytes; the floor is serde_json with the same types", json.len());
    let answer = GetRefund::decode(json.as_bytes(), ApiVersion::V2).unwrap();
    row(
        "parse refund JSON",
        measure(|| GetRefund::decode(black_box(&json).as_bytes(), ApiVersion::V2).unwrap()),
        measure(|| {
            serde_json::from_slice::<amazon_pay::Refund>(black_box(json.as_bytes())).unwrap()
        }),
    );
    row(
        "write refund JSON",
        measure(|| GetRefund::write_answer(black_box(&answer), ApiVersion::V2)),
        measure(|| serde_json::to_vec(black_box(&refund)).unwrap()),
    );

    println!("a Refund request of FPS; the floor is the copy of its text");
    let reference = CallerReference::new("CallerReference03").unwrap();
    let request = Refund::new(reference, "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD")
        .refund_amount(Money::parse("1.00", Currency::USD).unwrap())
        .caller_description("MyWish");
    let form = request.encode(Dialect::default()).unwrap().to_form();
    row(
        "encode Refund, to a form",
        measure(|| black_box(&request).encode(Dialect::default()).unwrap().to_form()),
        measure(|| black_box(&form).clone()),
    );
    row(
        "read Refund, from a form",
        measure(|| {
            let params = Params::parse(black_box(&form).as_bytes()).unwrap();
            Refund::read(&params, Dialect::default()).unwrap()
        }),
        measure(|| black_box(&form).clone()),
    );

    slowest_refusals();
}

/// How long the hostile messages of the tests keep a reader: the slowest of them.
fn slowest_refusals() {
    let mut times: Vec<_> = inputs::inputs()
        .iter()
        .map(|hostile| {
            let begun = Instant::now();
            assert!(hostile.reader.read(black_box(&hostile.bytes)).is_err(), "{}", hostile.name);
            (begun.elapsed(), hostile.name)
        })
        .collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    println!("{} hostile messages are refused; the slowest:", times.len());
    for (time, name) in times.iter().take(3) {
        println!("{name:<34} {:>9.2} ms", time.as_secs_f64() * 1e3);
    }
}
