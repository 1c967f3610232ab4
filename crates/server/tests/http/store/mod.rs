//! What must hold on both databases, and what an endpoint says when its database fails.

mod both;
mod faults;
mod nodes;
mod walks;
