//! Futures of runs, driven by a runtime.

use std::time::{Duration, Instant};

use multiarch_testing::{Fault, Registry, Setup};

use crate::{Cancel, Credentials, Error, Import, Result, Target};

fn package(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let path = folder.path().join("addon-amd64.tar.gz");
    std::fs::write(&path, multiarch_generator::demo_package("amd64")).expect("written");
    path
}

fn import_to(address: &str, folder: &tempfile::TempDir, cancel: &Cancel) -> Result<Import> {
    let target = Target::open(&format!("http://{address}"))?;
    let import = Import::into(target).package(package(folder)).cancel(cancel);
    Ok(import.credentials(Credentials::Anonymous))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

#[test]
fn a_future_does_what_the_call_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (Registry::new(), Registry::new());
    let by_call = import_to(&one.address(), &folder, &Cancel::new()).expect("an import");
    assert!(by_call.plan().expect("a plan").apply().complete);
    // The same call from within a runtime, and the future.
    runtime()
        .block_on(async {
            assert!(by_call.plan().expect("a plan").apply().complete);
            let import = import_to(&other.address(), &folder, &Cancel::new())?;
            let report = import.clone().plan_async().await?.apply_async().await?;
            assert!(report.complete, "{report}");
            assert!(import.status_async().await?.is_sound());
            Ok::<_, Error>(())
        })
        .expect("no error");
    for repository in one.repositories() {
        for tag in one.tags(&repository) {
            let held = |registry: &Registry| registry.manifest(&repository, &tag).map(|m| m.bytes);
            assert_eq!(held(&one), held(&other), "{repository}:{tag}");
        }
    }
}

#[test]
fn dropping_the_future_stops_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = Registry::start(Setup::default(), |_| Fault::Delay(Duration::from_millis(50)));
    let cancel = Cancel::new();
    let import = import_to(&registry.address(), &folder, &cancel).expect("an import");
    runtime().block_on(async {
        let plan = import.plan_async().await.expect("a plan");
        let soon = Duration::from_millis(200);
        assert!(tokio::time::timeout(soon, plan.apply_async()).await.is_err(), "it is slow");
    });
    assert!(cancel.is_cancelled());
    // It goes on until it notices; afterwards no request comes any more.
    let begun = Instant::now();
    loop {
        registry.take();
        std::thread::sleep(Duration::from_millis(500));
        if registry.take().is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on");
    }
}
