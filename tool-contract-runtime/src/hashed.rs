//! Maps whose keys are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`Hashed`].
pub(crate) type BuildHashed = BuildHasherDefault<Hashed>;

/// Takes a key that is a hash already for its own hash: a `TypeId`, a SHA-256.
///
/// Whoever would make such keys collide has to search for them, one search for
/// each key, and gains a slower look-up.
#[derive(Debug, Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_ne_bytes(*first);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 ^= hash;
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::hash::BuildHasher;

    use super::BuildHashed;

    #[test]
    fn a_key_is_its_own_hash() {
        let build = BuildHashed::default();
        let key = [7_u8; 32];
        assert_eq!(build.hash_one(key), u64::from_ne_bytes([7; 8]));
        assert_ne!(build.hash_one(TypeId::of::<u8>()), build.hash_one(TypeId::of::<u16>()));
    }
}
