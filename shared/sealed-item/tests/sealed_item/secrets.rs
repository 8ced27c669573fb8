//! Values that hold a secret cannot be printed, copied or compared byte by byte. This is proved when the file compiles:
//! the test itself has nothing to run.

use sealed_item::{Plaintext, PlaintextDataKey};

/// Compiles only if the type does not implement the trait. If it did, both `Marker`s would fit and the compiler could
/// not infer `_`.
macro_rules! assert_not_implemented {
    ($type:ty: $trait:path) => {{
        trait Probe<Marker> {
            fn probe() {}
        }
        struct Implemented;
        impl<T: ?Sized> Probe<()> for T {}
        impl<T: ?Sized + $trait> Probe<Implemented> for T {}
        let _: fn() = <$type as Probe<_>>::probe;
    }};
}

#[test]
fn secrets_have_no_debug_no_display_no_clone_no_equality() {
    assert_not_implemented!(PlaintextDataKey: std::fmt::Debug);
    assert_not_implemented!(PlaintextDataKey: std::fmt::Display);
    assert_not_implemented!(PlaintextDataKey: Clone);
    assert_not_implemented!(PlaintextDataKey: PartialEq);
    assert_not_implemented!(Plaintext: std::fmt::Debug);
    assert_not_implemented!(Plaintext: std::fmt::Display);
    assert_not_implemented!(Plaintext: Clone);
    assert_not_implemented!(Plaintext: PartialEq);
}
