//! What a call costs that has no work to do, beside the two threads that it starts; and what an event of
//! progress costs, beside the JSON of the progress in it.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(unsafe_code, reason = "the functions are C's")]

use std::{
    ffi::{c_char, c_void},
    hint::black_box,
    ptr,
    thread::{scope, spawn},
};

use criterion::{Criterion, criterion_group, criterion_main};
use multiarch::{
    multiarch_error_free, multiarch_options_check, multiarch_result_free, multiarch_status,
};
use multiarch_core::{Meter, embed::Events};

const OPTIONS: &str = r#"{"target": "oci:/nonexistent/store"}"#;

unsafe extern "C" fn heard(count: *mut c_void, _: *const c_char, _: usize) -> i32 {
    // SAFETY: the bench hands in its own counter.
    unsafe { *count.cast::<u64>() += 1 };
    0
}

fn check() {
    let mut error = ptr::null_mut();
    // SAFETY: a text with its length, and a place for an error.
    unsafe {
        multiarch_options_check(OPTIONS.as_ptr().cast(), OPTIONS.len(), &raw mut error);
        multiarch_error_free(error);
    }
}

/// The status of a directory that is not there.
fn status(told: &mut u64) {
    let (mut result, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: as above; the counter outlives the call.
    unsafe {
        multiarch_status(
            OPTIONS.as_ptr().cast(),
            OPTIONS.len(),
            ptr::null(),
            Some(heard),
            ptr::from_mut(told).cast(),
            &raw mut result,
            &raw mut error,
        );
        multiarch_result_free(result);
        multiarch_error_free(error);
    }
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a call without work");
    group.bench_function("start and join a thread (floor)", |b| {
        b.iter(|| spawn(|| black_box(())).join());
    });
    group.bench_function("options_check", |b| b.iter(check));
    group.bench_function("start and join two threads (floor)", |b| {
        b.iter(|| spawn(|| scope(|scope| scope.spawn(|| black_box(())).join())).join());
    });
    group.bench_function("status, with a callback", |b| {
        let mut told = 0;
        b.iter(|| status(black_box(&mut told)));
    });
    group.finish();

    let (meter, mut events) = (Meter::new(), Events::default());
    let mut group = criterion.benchmark_group("an event of progress");
    group.bench_function("JSON of a progress (floor)", |b| {
        b.iter(|| serde_json::to_string(&black_box(&meter).progress()));
    });
    group.bench_function("event and callback", |b| {
        let mut told = 0_u64;
        b.iter(|| {
            let event = events.next(black_box(&meter));
            // SAFETY: as above.
            unsafe { heard((&raw mut told).cast(), event.as_ptr().cast(), event.len()) }
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
