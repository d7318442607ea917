//! The bar at a terminal: how far a run is, how fast, and how long it still takes. Colour says nothing
//! here, and there is none.

use fps::refund_runner::{Clock as _, Limit, SystemClock};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::counts::Counts;

const TEMPLATE: &str = "[{bar:32}] {pos}/{len} {msg}";

pub(super) struct Bar {
    bar: ProgressBar,
    limit: Option<Limit>,
    begun_at: i64,
    /// What had ended before.
    ended_before: u64,
}

fn now() -> i64 {
    SystemClock::default().now().0
}

impl Bar {
    pub(super) fn start(counts: &Counts, limit: Option<Limit>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(8);
        let bar = ProgressBar::with_draw_target(Some(counts.all()), target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        let bar = Self { bar, limit, begun_at: now(), ended_before: counts.ended() };
        bar.show(counts);
        bar
    }

    pub(super) fn show(&self, counts: &Counts) {
        let millis = now().saturating_sub(self.begun_at);
        let pace = pace(counts, self.ended_before, millis, self.limit);
        self.bar.set_message(format!("{pace}: {}", counts.words()));
        self.bar.set_position(counts.ended());
    }

    /// Says something above the bar.
    pub(super) fn say(&self, text: &str) {
        self.bar.println(text);
    }

    pub(super) fn end(&self, counts: &Counts) {
        self.bar.set_position(counts.ended());
        self.bar.abandon_with_message(counts.words());
    }
}

/// How fast it goes, and how long it still takes: as long as so far for each, but no less than the
/// provider's limit allows for what was never sent.
fn pace(counts: &Counts, ended_before: u64, millis: i64, limit: Option<Limit>) -> String {
    let millis = u64::try_from(millis).unwrap_or_default().max(1);
    let done = counts.ended().saturating_sub(ended_before);
    let open = counts.all().saturating_sub(counts.ended()).saturating_sub(counts.parked);
    let by_limit = limit.map(|limit| {
        counts.told().prepared.saturating_mul(limit.interval_micros.into()).div_ceil(1_000_000)
    });
    let by_rate = open.saturating_mul(millis).checked_div(done).map(|left| left.div_ceil(1_000));
    let left =
        by_limit.max(by_rate).map_or_else(String::new, |left| format!(", {} left", time(left)));
    let tenths = done.saturating_mul(10_000) / millis;
    format!("{}.{}/s{left}", tenths / 10, tenths % 10)
}

fn time(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use fps::RefundState;

    #[test]
    fn the_time_left_is_that_of_the_pace_or_of_the_limit_whichever_is_longer() {
        let limit = |interval_micros| Some(Limit { burst: 4, interval_micros });
        for (prepared, ended, before, millis, limit, expected) in [
            (100, 0, 0, 0, None, "0.0/s"),
            (100, 0, 0, 0, limit(250_000), "0.0/s, 25 s left"),
            (100, 50, 0, 10_000, None, "5.0/s, 20 s left"),
            (100, 50, 25, 10_000, None, "2.5/s, 40 s left"),
            (100, 50, 0, 1_000, limit(250_000), "50.0/s, 25 s left"),
            (100, 50, 0, 100_000, limit(250_000), "0.5/s, 3 min left"),
            (40_000, 1, 0, 250, limit(250_000), "4.0/s, 2 h 46 min left"),
            (0, 7, 0, 2_000, limit(250_000), "3.5/s, 0 s left"),
        ] {
            let mut counts = Counts::default();
            for _ in 0..prepared {
                counts.move_one(RefundState::Sent, RefundState::Prepared);
            }
            for _ in 0..ended {
                counts.move_one(RefundState::Sent, RefundState::Refunded);
            }
            assert_eq!(pace(&counts, before, millis, limit), expected);
        }
    }

    #[test]
    fn the_bar_is_text_without_colour() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
        assert!(!TEMPLATE.contains('.'), "a style would stand behind a point");
        assert_eq!(time(59), "59 s");
        assert_eq!(time(3_599), "59 min");
        assert_eq!(time(3_600), "1 h 0 min");
    }
}
