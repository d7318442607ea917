//! How many requests a merchant may send of each operation of Amazon Pay: a bucket that fills by the
//! clock of the sandbox. FPS has none, because its limits are not known.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Millis;

/// Whose limits apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Throttle {
    /// None.
    #[default]
    Off,
    /// Those of the live service.
    Live,
    /// Those of Amazon's own sandbox.
    Sandbox,
}

/// So many at once, and so many a second after that.
#[derive(Clone, Copy)]
struct Limit {
    burst: i64,
    per_second: i64,
}

const fn limit(burst: i64, per_second: i64) -> Limit {
    Limit { burst, per_second }
}

/// Live and sandbox limits of each operation. Source: API throttling limits, Amazon Pay API v2; another
/// copy of the page has 10 and 1 for Create Refund and 20 and 2 for Get Refund in the sandbox, and 5
/// and 1 for Get Charge Permission in Europe.
const LIMITS: [(&str, Limit, Limit); 13] = [
    ("CreateRefund", limit(10, 4), limit(2, 1)),
    ("GetRefund", limit(20, 4), limit(5, 1)),
    ("CreateCharge", limit(10, 4), limit(2, 1)),
    ("GetCharge", limit(20, 4), limit(5, 1)),
    ("CaptureCharge", limit(20, 4), limit(2, 1)),
    ("CancelCharge", limit(10, 2), limit(2, 1)),
    ("GetChargePermission", limit(20, 4), limit(10, 1)),
    ("UpdateChargePermission", limit(10, 2), limit(5, 1)),
    ("CloseChargePermission", limit(10, 2), limit(2, 1)),
    ("CreateCheckoutSession", limit(40, 16), limit(5, 1)),
    ("GetCheckoutSession", limit(40, 8), limit(10, 1)),
    ("UpdateCheckoutSession", limit(20, 8), limit(5, 1)),
    ("CompleteCheckoutSession", limit(20, 4), limit(2, 1)),
];

/// A request is a thousand parts of a bucket: as many as flow in a second per request, so that they
/// flow by the millisecond.
const PARTS: i64 = 1_000;

/// The buckets of all merchants. A restart fills them.
pub(crate) struct Buckets {
    throttle: Throttle,
    buckets: Mutex<HashMap<(i64, &'static str), Bucket>>,
}

struct Bucket {
    parts: i64,
    at: Millis,
}

impl Buckets {
    pub(crate) fn new(throttle: Throttle) -> Self {
        Self { throttle, buckets: Mutex::new(HashMap::new()) }
    }

    /// May a merchant send one more of an operation now?
    pub(crate) fn take(&self, merchant: i64, operation: &'static str, now: Millis) -> bool {
        let Some(limit) = self.limit(operation) else { return true };
        let full = limit.burst * PARTS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket =
            buckets.entry((merchant, operation)).or_insert(Bucket { parts: full, at: now });
        let flowed = now.saturating_sub(bucket.at).max(0).saturating_mul(limit.per_second);
        bucket.parts = bucket.parts.saturating_add(flowed).min(full);
        bucket.at = bucket.at.max(now);
        let enough = bucket.parts >= PARTS;
        if enough {
            bucket.parts -= PARTS;
        }
        enough
    }

    fn limit(&self, operation: &str) -> Option<Limit> {
        let (_, live, sandbox) = LIMITS.into_iter().find(|(name, ..)| *name == operation)?;
        match self.throttle {
            Throttle::Off => None,
            Throttle::Live => Some(live),
            Throttle::Sandbox => Some(sandbox),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many requests pass at a time.
    fn passed(buckets: &Buckets, operation: &'static str, now: Millis) -> usize {
        (0..100).filter(|_| buckets.take(1, operation, now)).count()
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_what_flows() {
        for (throttle, operation, burst, in_a_second, in_an_hour) in [
            (Throttle::Live, "CreateRefund", 10, 4, 10),
            (Throttle::Live, "GetRefund", 20, 4, 20),
            (Throttle::Live, "CreateCheckoutSession", 40, 16, 40),
            (Throttle::Sandbox, "CreateRefund", 2, 1, 2),
            (Throttle::Sandbox, "GetRefund", 5, 1, 5),
            (Throttle::Off, "CreateRefund", 100, 100, 100),
        ] {
            let buckets = Buckets::new(throttle);
            assert_eq!(passed(&buckets, operation, 0), burst, "{operation}");
            assert_eq!(passed(&buckets, operation, 1_000), in_a_second, "{operation}");
            assert_eq!(passed(&buckets, operation, 3_601_000), in_an_hour, "{operation}");
        }
    }

    #[test]
    fn part_of_a_second_gives_part_of_what_flows() {
        let buckets = Buckets::new(Throttle::Live);
        assert_eq!(passed(&buckets, "CreateRefund", 0), 10);
        assert_eq!(passed(&buckets, "CreateRefund", 249), 0);
        assert_eq!(passed(&buckets, "CreateRefund", 250), 1);
        // A clock that is read out of order gives nothing back.
        assert_eq!(passed(&buckets, "CreateRefund", 100), 0);
    }

    #[test]
    fn merchants_and_operations_have_buckets_of_their_own() {
        let buckets = Buckets::new(Throttle::Sandbox);
        assert_eq!(passed(&buckets, "CreateRefund", 0), 2);
        assert_eq!(passed(&buckets, "CreateCharge", 0), 2);
        assert!(buckets.take(2, "CreateRefund", 0));
        assert_eq!(passed(&buckets, "Refund", 0), 100);
    }
}
