//! [`Items`]: the text of a list, written piece by piece as its reader takes it.

use std::{sync::Arc, vec};

use bytes::Bytes;

use crate::store::Stored;

/// The bytes that are written at a time: the memory of a list beside the stored objects.
pub(super) const PIECE: usize = 128 * 1024;

/// A list's text in pieces.
pub(super) struct Items<W> {
    /// The separator before the next item.
    before: Vec<u8>,
    objects: vec::IntoIter<Arc<Stored>>,
    write: W,
    is_over: bool,
}

impl<W: FnMut(&Stored, &mut Vec<u8>)> Items<W> {
    /// The list that begins with `head`: a brace and fields; `write` writes each of its items.
    pub(super) fn new(head: String, objects: Vec<Arc<Stored>>, write: W) -> Self {
        let before = (head + r#","items":["#).into_bytes();
        Self { before, objects: objects.into_iter(), write, is_over: false }
    }
}

impl<W: FnMut(&Stored, &mut Vec<u8>)> Iterator for Items<W> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let mut piece = std::mem::take(&mut self.before);
        while let Some(stored) = self.objects.next() {
            (self.write)(&stored, &mut piece);
            if self.objects.len() > 0 {
                piece.push(b',');
            }
            if piece.len() >= PIECE {
                self.before.reserve(PIECE + PIECE / 8);
                return Some(piece.into());
            }
        }
        self.is_over = true;
        piece.extend_from_slice(b"]}");
        Some(piece.into())
    }
}
