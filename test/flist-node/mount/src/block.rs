//! A sealed block: its id is the BLAKE2b-256 of its bytes, its key that of its content; AES-256-GCM over raw Snappy.
use crate::Result;
use aes_gcm::{aead::Aead, Aes256Gcm, KeyInit, Nonce};
use blake2::{digest::consts::U32, Blake2b, Digest};

fn digest(bytes: &[u8]) -> Vec<u8> {
    Blake2b::<U32>::digest(bytes).to_vec()
}

pub fn open(id: &[u8], key: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    if digest(sealed) != id {
        return Err("a block is not what its id says".into());
    }
    let cipher = Aes256Gcm::new_from_slice(key)?;
    let packed = cipher
        .decrypt(Nonce::from_slice(&key[..12]), sealed)
        .map_err(|_| "a block cannot be decrypted")?;
    let plain = snap::raw::Decoder::new().decompress_vec(&packed)?;
    if digest(&plain) != key {
        return Err("a block's content is not what its key says".into());
    }
    Ok(plain)
}
