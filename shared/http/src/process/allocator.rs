//! The allocator of every function. It zeroes memory before it frees it.
//!
//! Requests and answers also pass through memory that our types do not zero: the buffers of the Lambda runtime and of hyper, text
//! that serde unescapes, the bodies of the SDK's answers. The allocator zeroes it (docs/adr/0017).

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// The type of the allocator. A binary has one allocator, and names it with `#[global_allocator]`.
pub type Allocator = ZeroAlloc<System>;

/// The allocator.
pub const ALLOCATOR: Allocator = ZeroAlloc(System);
