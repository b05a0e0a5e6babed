//! Writes a package of any size as a plain tar archive, without holding it in memory.
//!
//! usage: `cargo run --release -p multiarch-examples --example make_large -- FILE ARCH CHARTS IMAGES LAYERS BYTES`
//!
//! IMAGES is the number of images per chart, LAYERS that of layers per image, BYTES the size of a layer.
//! FILE `-` is standard output:
//! `… make_large -- - amd64 10 100 9 1000 | gzip -1 > addon-v1-amd64.tar.gz`.

use std::io::{self, BufWriter, Write};

use multiarch_generator::Large;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, architecture, charts, images, layers, bytes] = words.as_slice() else {
        return Err("usage: make_large FILE ARCH CHARTS IMAGES LAYERS BYTES".into());
    };
    let large = Large {
        architecture: architecture.clone(),
        charts: charts.parse()?,
        images: images.parse()?,
        layers: layers.parse()?,
        layer_size: bytes.parse()?,
    };
    let out: Box<dyn Write> =
        if file == "-" { Box::new(io::stdout()) } else { Box::new(std::fs::File::create(file)?) };
    let mut out = BufWriter::with_capacity(1 << 20, out);
    large.write(&mut out)?;
    Ok(out.flush()?)
}
