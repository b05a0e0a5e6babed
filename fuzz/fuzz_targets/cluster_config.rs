#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| multiarch_core::fuzzing::cluster_config(data));
