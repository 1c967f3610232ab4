//! Which RSA public keys are worth trusting. (SEC-178)

use crate::jwk::JwkError;

const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 8192;
const MIN_EXPONENT: u64 = 65_537;

/// Refuses keys that are too small, too costly, malformed or of the family that a chip once generated badly.
pub(crate) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), JwkError> {
    let bits = bit_length(modulus).ok_or(JwkError::Encoding("n"))?;
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(JwkError::RsaSize);
    }
    bit_length(exponent).ok_or(JwkError::Encoding("e"))?;
    if exponent.len() > 4 {
        return Err(JwkError::RsaExponent);
    }
    let exponent = exponent
        .iter()
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    if exponent < MIN_EXPONENT || exponent % 2 == 0 {
        return Err(JwkError::RsaExponent);
    }
    if remainder(modulus, 2) == 0 || has_small_factor(modulus) || looks_like_roca(modulus) {
        return Err(JwkError::RsaWeak);
    }
    Ok(())
}

/// `None` when empty or written with leading zeros. (RFC 7518 §2)
fn bit_length(number: &[u8]) -> Option<usize> {
    let first = number.first().filter(|first| **first != 0)?;
    Some(number.len() * 8 - first.leading_zeros() as usize)
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, byte| ((rest << 8) | u32::from(*byte)) % divisor)
}

const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

fn has_small_factor(modulus: &[u8]) -> bool {
    SMALL_PRIMES
        .iter()
        .any(|prime| remainder(modulus, *prime) == 0)
}

/// Moduli of CVE-2017-15361 are powers of 65537 modulo every small prime; others almost never are.
fn looks_like_roca(modulus: &[u8]) -> bool {
    SMALL_PRIMES
        .iter()
        .all(|prime| is_power_of_65537(remainder(modulus, *prime), *prime))
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == residue {
            return true;
        }
        power = power * (65_537 % prime) % prime;
    }
    false
}
