//! The process of a function: how it starts, what it is part of, and how it answers one invocation after the other.

mod allocator;
mod answer;
mod deployment;
mod init;
mod serve;
mod threads;

pub use allocator::{ALLOCATOR, Allocator};
pub use answer::answer;
pub use deployment::Deployment;
pub use init::init;
pub use serve::serve;
pub use threads::block_on;
