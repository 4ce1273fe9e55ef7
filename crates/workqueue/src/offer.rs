//! [`Offer`]: a key on its way in, owned or borrowed.

/// A key that is added: looked at first, and taken only if it is new. What is not taken is for the caller
/// to drop, where no lock is held.
pub(crate) trait Offer<K> {
    fn key(&self) -> &K;

    /// Called once.
    fn take(&mut self) -> K;
}

impl<K> Offer<K> for Option<K> {
    #[inline]
    fn key(&self) -> &K {
        self.as_ref().expect("it is looked at before it is taken")
    }

    #[inline]
    fn take(&mut self) -> K {
        self.take().expect("it is taken once")
    }
}

impl<K: Clone> Offer<K> for &K {
    #[inline]
    fn key(&self) -> &K {
        self
    }

    #[inline]
    fn take(&mut self) -> K {
        (*self).clone()
    }
}
