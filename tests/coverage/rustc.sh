#!/bin/sh
# Cargo's RUSTC_WORKSPACE_WRAPPER for tests/coverage/measure.py: our own crates are instrumented, their dependencies are not, so
# those are taken as they are. Counting branches is an unstable option of stable Rust, hence RUSTC_BOOTSTRAP. Names are not
# compressed, since not every build of the LLVM tools has zlib.
RUSTC_BOOTSTRAP=1 exec "$@" -C instrument-coverage -Z coverage-options=branch -C llvm-args=-enable-name-compression=false
