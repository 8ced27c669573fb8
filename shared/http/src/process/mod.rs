//! The process of a function: how it starts, its settings, and how it answers invocations.

mod allocator;
mod answer;
mod any_endpoint;
mod deployment;
mod init;
mod serve;
mod threads;

pub use allocator::{ALLOCATOR, Allocator};
pub use answer::answer;
pub use any_endpoint::{AnyEndpoint, endpoint_of};
pub use deployment::Deployment;
pub use init::init;
pub use serve::serve;
pub use threads::block_on;
