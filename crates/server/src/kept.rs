//! Parsed records kept in memory until somebody changes one: bounded, and never older than the last time it was emptied.

use papaya::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Kept<K, V> {
    records: HashMap<K, Arc<V>>,
    /// Counts the times it was emptied: what was read before must not be kept after.
    emptied: AtomicU64,
    most: usize,
}

impl<K: Hash + Eq + Clone, V> Kept<K, V> {
    pub fn new(most: usize) -> Self {
        Self {
            records: HashMap::new(),
            emptied: AtomicU64::new(0),
            most,
        }
    }

    /// The record under `key`; one that is not here is loaded, and kept if there is one.
    pub async fn find<E>(
        &self,
        key: &K,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        if let Some(record) = self.records.pin().get(key) {
            return Ok(Some(Arc::clone(record)));
        }
        let emptied = self.emptied.load(Ordering::Acquire);
        let Some(record) = load.await? else {
            return Ok(None);
        };
        let record = Arc::new(record);
        let records = self.records.pin();
        if records.len() >= self.most {
            records.clear();
        }
        records.insert(key.clone(), Arc::clone(&record));
        if self.emptied.load(Ordering::Acquire) != emptied {
            records.remove(key);
        }
        Ok(Some(record))
    }

    pub fn empty(&self) {
        self.emptied.fetch_add(1, Ordering::AcqRel);
        self.records.pin().clear();
    }
}
