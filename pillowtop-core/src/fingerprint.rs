//! The 128-bit fingerprint of a mapping tree, cheap enough for const evaluation.
//!
//! An object's fingerprint is a wrapping sum over its members, so neither order nor `flatten`
//! matters. It tells drift, not malice: the content hash (SHA-256, [`crate::definition`]) names
//! indices. Anything that changes a value computed here changes [`VERSION`], since every committed
//! file would be stale.

use std::fmt;
use std::str::FromStr;

/// The version of the algorithm, written before each fingerprint in a committed file.
pub const VERSION: u32 = 1;

const FNV_OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
const MULTIPLIER_A: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
const MULTIPLIER_B: u128 = 0xd6e8_feb8_6659_fd93_2545_f491_4f6c_dd1d;

/// A fingerprint as it is compared: of a pillow's whole definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{VERSION}:{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Why a string is not a fingerprint of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// Written by a release with another algorithm.
    #[error("fingerprint `{0}` is of another version than v{VERSION}")]
    OtherVersion(String),
    /// Not of the form `v1:` and 32 hexadecimal digits.
    #[error("`{0}` is not a fingerprint")]
    Malformed(String),
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || FingerprintError::Malformed(text.to_owned());
        let (version, digits) =
            text.strip_prefix('v').and_then(|rest| rest.split_once(':')).ok_or_else(malformed)?;
        if version.parse::<u32>().map_err(|_| malformed())? != VERSION {
            return Err(FingerprintError::OtherVersion(text.to_owned()));
        }
        if digits.len() != 32 {
            return Err(malformed());
        }
        u128::from_str_radix(digits, 16).map(Self).map_err(|_| malformed())
    }
}

/// FNV-1a over the bytes of a string, then mixed, so that short strings differ in all bits.
#[must_use]
pub const fn hash_text(text: &str) -> u128 {
    let bytes = text.as_bytes();
    let mut hash = FNV_OFFSET;
    let mut position = 0;
    while position < bytes.len() {
        hash ^= bytes[position] as u128;
        hash = hash.wrapping_mul(FNV_PRIME);
        position += 1;
    }
    scramble(hash)
}

/// One value of two, in this order. Never zero-absorbing, so it may be a term of a wrapping sum.
#[must_use]
pub const fn mix(name: u128, value: u128) -> u128 {
    scramble(name.wrapping_mul(MULTIPLIER_A) ^ scramble(value).rotate_left(37))
}

const fn scramble(value: u128) -> u128 {
    let mut mixed = value ^ (value >> 67);
    mixed = mixed.wrapping_mul(MULTIPLIER_B);
    mixed ^= mixed >> 61;
    mixed = mixed.wrapping_mul(MULTIPLIER_A);
    mixed ^ (mixed >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by an independent implementation. They may only change together with [`VERSION`].
    #[test]
    fn golden_values_hold_across_releases() {
        assert_eq!(hash_text(""), 0xf9cb_a545_a9ae_c516_3bd9_9c65_a79b_011d);
        assert_eq!(hash_text("keyword"), 0xd22a_2bb9_11bc_1d0e_cab5_f192_21b5_bd4d);
        assert_eq!(
            mix(hash_text("ignore_above"), hash_text("8191")),
            0xe13d_4e11_8755_d3c3_2a27_03d2_9b80_6f96
        );
    }

    #[test]
    fn a_fingerprint_reads_what_it_writes() {
        let fingerprint = Fingerprint(hash_text("case"));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!("v9:00".parse::<Fingerprint>(), Err(FingerprintError::OtherVersion("v9:00".to_owned())));
        assert!("v1:12".parse::<Fingerprint>().is_err());
        assert!("1:12".parse::<Fingerprint>().is_err());
    }
}
