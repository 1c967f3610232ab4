//! Connections that strangers open: silent, slow and flooding ones, in raw bytes and raw frames, on a real socket with TLS.

mod floods;
mod patience;
mod peer;
