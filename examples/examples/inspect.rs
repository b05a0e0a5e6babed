//! Prints what a package holds.
use multiarch_core::package::Package;
fn main() -> multiarch_core::Result<()> {
    for path in std::env::args().skip(1) {
        let p = Package::open(&path)?;
        println!("{path}: {:?} {:?}", p.name(), p.identity());
        for b in p.bundles() {
            println!("  {} {} images {} hints {} problems {:?}", b.path(), b.chart(), b.images().len(), b.hints().len(), b.problems());
        }
        for f in p.findings() { println!("  finding {f:?}"); }
        for f in p.problems() { println!("  problem {f:?}"); }
    }
    Ok(())
}
