//! The proof that a signature was checked, which only this crate can make; nothing is checked here.

use std::fmt;

/// Something whose signature was checked and found right.
///
/// There is no way to make one but to verify, so a function that takes a `Verified<T>` cannot be
/// handed anything that merely arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

/// Without what was proved, which may name buyers.
impl<T> fmt::Debug for Verified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(..)")
    }
}

impl<T> Verified<T> {
    pub(crate) const fn new(proved: T) -> Self {
        Self(proved)
    }

    /// What was proved.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// What was proved, without the proof.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Reads what was proved into another form, and keeps the proof.
    ///
    /// `read` is a plain function and not a closure: it sees what was proved and nothing else, so
    /// that nothing unproved can slip in.
    ///
    /// # Errors
    /// What `read` answers.
    pub fn try_map<U, E>(self, read: fn(&T) -> Result<U, E>) -> Result<Verified<U>, E> {
        read(&self.0).map(Verified)
    }
}
