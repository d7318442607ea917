//! A map that forgets: when it is full, what came first goes first.

use std::collections::{BTreeMap, VecDeque};

use super::REMEMBERED_MAX;

pub(super) struct Memory<K, V> {
    values: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<K: Ord + Clone, V> Memory<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    /// Keeps a value in the place of an older one.
    pub(super) fn keep(&mut self, key: K, value: V) {
        if self.values.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }

    pub(super) fn forget(&mut self, key: &K) {
        if self.values.remove(key).is_some() {
            self.order.retain(|known| known != key);
        }
    }

    pub(super) fn forget_all(&mut self, which: impl Fn(&V) -> bool) {
        let before = self.values.len();
        self.values.retain(|_, value| !which(value));
        if self.values.len() < before {
            self.order.retain(|key| self.values.contains_key(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_first_goes_first() {
        let mut memory = Memory::default();
        for number in 0..=REMEMBERED_MAX {
            memory.keep(number, number);
            memory.keep(number, number + 1);
        }
        assert_eq!(memory.get(&0), None);
        assert_eq!(memory.get(&1), Some(&2));
        memory.forget(&1);
        memory.forget_all(|value| *value == 3);
        assert_eq!(
            (memory.values.len(), memory.order.len()),
            (REMEMBERED_MAX - 2, REMEMBERED_MAX - 2)
        );
    }
}
