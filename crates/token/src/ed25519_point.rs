//! Which 32 bytes may be a point of an Ed25519 key or signature. (SEC-079, SEC-174)

/// `p = 2^255 - 19`, little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// The `y` of the points whose order divides eight, besides 0 and 1, little-endian.
const ORDER_TWO: [u8; 32] = {
    let mut y = PRIME;
    y[0] = 0xec;
    y
};
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether the encoding is canonical and not one of the points of small order, with which one signature can fit many
/// messages. (RFC 8032 §5.1.3)
pub(crate) fn is_strict(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let mut one = [0; 32];
    if let Some(first) = one.first_mut() {
        *first = 1;
    }
    let canonical = y.iter().rev().lt(PRIME.iter().rev());
    canonical && y != [0; 32] && y != one && y != ORDER_TWO && !ORDER_EIGHT.contains(&y)
}
