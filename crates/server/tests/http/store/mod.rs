//! What must hold on both databases, and what an endpoint says when its database fails; the audit trail.

mod audit;
mod both;
mod faults;
mod nodes;
mod walks;
