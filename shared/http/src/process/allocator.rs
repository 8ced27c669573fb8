//! The allocator of every function: what is freed is zeroed first.
//!
//! Requests and answers pass through memory that is not ours to zero: the Lambda runtime's and hyper's buffers, what serde
//! unescapes, the bodies of the SDK's answers. It ends up here, too (docs/adr/0017).

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Its type. A binary has one allocator and names it itself: `#[global_allocator]`.
pub type Allocator = ZeroAlloc<System>;

/// The allocator.
pub const ALLOCATOR: Allocator = ZeroAlloc(System);
