//! Signing in: the state machine, its forms, its sessions, and whoever guesses.

pub mod admin_link;
mod guessing;
mod pages;
mod sessions;
mod state_machine;
