//! A memory with two bounds: how many, and how long. For caches and for what may be used once.

use jeton_token::timestamp::Timestamp;
use std::collections::{HashMap, VecDeque};

/// A SHA-256 hash: what is remembered is never held in clear.
pub(crate) type Key = [u8; 32];

#[derive(Debug)]
pub(crate) struct Memory<V> {
    most: usize,
    values: HashMap<Key, (V, Timestamp)>,
    /// In the order they came; each key of `values` once.
    order: VecDeque<Key>,
}

impl<V> Memory<V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(crate) fn find(&self, key: &Key, now: Timestamp) -> Option<&V> {
        let (value, until) = self.values.get(key)?;
        (now < *until).then_some(value)
    }

    /// Forgets from the oldest on what has ended.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while let Some(key) = self.order.front() {
            if self.find(key, now).is_some() {
                return;
            }
            self.forget_oldest();
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.values.len() >= self.most
    }

    /// Keeps a value in the place of the oldest one, if there is no other.
    pub(crate) fn keep(&mut self, key: Key, value: V, (now, until): (Timestamp, Timestamp)) {
        self.forget(now);
        if self.most == 0 || until <= now {
            return;
        }
        while self.is_full() && !self.values.contains_key(&key) {
            self.forget_oldest();
        }
        if self.values.insert(key, (value, until)).is_none() {
            self.order.push_back(key);
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(key) = self.order.pop_front() {
            self.values.remove(&key);
        }
    }

    #[cfg(test)]
    fn len(&self) -> (usize, usize) {
        (self.values.len(), self.order.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn the_oldest_goes_when_there_is_no_room_and_all_go_when_they_end() {
        let mut memory = Memory::new(2);
        for number in 1..=3 {
            memory.keep([number; 32], number, (at(0), at(10)));
        }
        assert_eq!(memory.find(&[1; 32], at(0)), None);
        assert_eq!(memory.find(&[3; 32], at(9)), Some(&3));
        assert_eq!(memory.find(&[3; 32], at(10)), None);
        memory.keep([3; 32], 4, (at(5), at(20)));
        assert_eq!(memory.find(&[3; 32], at(15)), Some(&4));
        assert_eq!(memory.len(), (2, 2));
        memory.forget(at(20));
        assert_eq!(memory.len(), (0, 0));
    }
}
