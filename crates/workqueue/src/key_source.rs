//! [`KeySource`]: a key to add, owned or borrowed.

/// A key to add. It is cloned or moved out only if the queue does not hold it yet; otherwise the caller drops
/// it, outside the lock.
pub(crate) trait KeySource<K> {
    fn key(&self) -> &K;

    /// Moves or clones the key out. Called at most once.
    fn take(&mut self) -> K;

    /// Moves the key out, as `take` does, unless that takes a clone.
    fn take_owned(&mut self) -> Option<K>;
}

impl<K> KeySource<K> for Option<K> {
    #[inline]
    fn key(&self) -> &K {
        self.as_ref().expect("`key` is called before `take`")
    }

    #[inline]
    fn take(&mut self) -> K {
        self.take().expect("`take` is called once")
    }

    #[inline]
    fn take_owned(&mut self) -> Option<K> {
        self.take()
    }
}

impl<K: Clone> KeySource<K> for &K {
    #[inline]
    fn key(&self) -> &K {
        self
    }

    #[inline]
    fn take(&mut self) -> K {
        (*self).clone()
    }

    #[inline]
    fn take_owned(&mut self) -> Option<K> {
        None
    }
}
