//! The ids of the notifications that were dealt with, a bounded number of them; nothing is stored.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many ids are remembered unless another number is wished: about a megabyte.
pub(super) const IDS_MAX: usize = 10_000;

/// Remembers the latest ids, and forgets the oldest one for each that comes on top.
pub(super) struct Acknowledged {
    ids_max: usize,
    ids: Mutex<Ids>,
}

#[derive(Default)]
struct Ids {
    known: HashSet<Arc<str>>,
    oldest_first: VecDeque<Arc<str>>,
}

impl fmt::Debug for Acknowledged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acknowledged").field("ids_max", &self.ids_max).finish_non_exhaustive()
    }
}

impl Acknowledged {
    pub(super) fn new(ids_max: usize) -> Self {
        Self { ids_max, ids: Mutex::default() }
    }

    pub(super) fn add(&self, id: &str) {
        let mut ids = self.lock();
        let id: Arc<str> = id.into();
        if self.ids_max == 0 || !ids.known.insert(Arc::clone(&id)) {
            return;
        }
        ids.oldest_first.push_back(id);
        if ids.oldest_first.len() > self.ids_max
            && let Some(oldest) = ids.oldest_first.pop_front()
        {
            ids.known.remove(&oldest);
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.lock().known.contains(id)
    }

    fn lock(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
