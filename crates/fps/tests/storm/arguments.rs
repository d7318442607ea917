//! How large a storm is.

/// What is killed, and which service it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The runner, refunding through FPS.
    FlexiblePayments,
    /// The runner, refunding through Amazon Pay.
    AmazonPay,
    /// The sandbox, while a runner refunds through Amazon Pay.
    Sandbox,
}

pub(crate) struct Arguments {
    pub(crate) runs: u32,
    pub(crate) refunds: usize,
    pub(crate) seed: u64,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) is_with_mutant: bool,
}

impl Arguments {
    /// A small one, unless told otherwise.
    pub(crate) fn read(arguments: &[String]) -> Self {
        let mut read = Self {
            runs: 2,
            refunds: 250,
            seed: 1,
            lanes: vec![Lane::FlexiblePayments, Lane::AmazonPay, Lane::Sandbox],
            is_with_mutant: true,
        };
        let mut words = arguments.iter();
        let mut is_mutant_asked = false;
        while let Some(word) = words.next() {
            let mut value =
                || words.next().unwrap_or_else(|| panic!("{word} needs a value")).as_str();
            match word.as_str() {
                "--runs" => read.runs = value().parse().unwrap(),
                "--refunds" => read.refunds = value().parse().unwrap(),
                "--seed" => read.seed = value().parse().unwrap(),
                "--lane" => {
                    read.is_with_mutant = false;
                    read.lanes = vec![match value() {
                        "fps" => Lane::FlexiblePayments,
                        "amazon-pay" => Lane::AmazonPay,
                        "sandbox" => Lane::Sandbox,
                        other => panic!("{other} is no lane: fps, amazon-pay or sandbox"),
                    }];
                }
                "--mutant" => is_mutant_asked = true,
                // What the test runner says to every test.
                _ => {}
            }
        }
        if is_mutant_asked {
            read.is_with_mutant = true;
            read.lanes.clear();
        }
        read
    }
}
