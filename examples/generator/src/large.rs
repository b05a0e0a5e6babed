//! Packages of any size, written as a stream without keeping them in memory.

use std::io::{self, Write};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::archive::header;

/// A package of many images, or of large ones.
#[derive(Clone, Debug)]
pub struct Large {
    /// The architecture.
    pub architecture: String,
    /// Number of charts.
    pub charts: usize,
    /// Number of images per chart.
    pub images: usize,
    /// Number of layers per image.
    pub layers: usize,
    /// Bytes of each layer. They cannot be compressed, and no two layers are the same.
    pub layer_size: u64,
}

/// Bytes that cannot be compressed (xorshift); the same seed gives the same bytes.
struct Noise(u64);

const BUFFER_SIZE: usize = 64 << 10;

impl Noise {
    fn of(seed: &str) -> Self {
        let digest = Sha256::digest(seed.as_bytes());
        Self(digest.iter().take(8).fold(1, |state, byte| state << 8 | u64::from(*byte)) | 1)
    }

    /// Writes `size` bytes to `out`.
    fn write(mut self, size: u64, out: &mut impl Write) -> io::Result<()> {
        let mut piece = vec![0; BUFFER_SIZE];
        let mut left = size;
        while left > 0 {
            for word in piece.chunks_exact_mut(8) {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                word.copy_from_slice(&self.0.to_le_bytes());
            }
            let count = BUFFER_SIZE.min(usize::try_from(left).unwrap_or(BUFFER_SIZE));
            out.write_all(&piece[..count])?;
            left -= count as u64;
        }
        Ok(())
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.update(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes that a file of `size` bytes takes in a tar archive, with its header and padding.
fn entry_size(size: u64) -> u64 {
    512 + size.div_ceil(512) * 512
}

const END: [u8; 1024] = [0; 1024];

struct Chart {
    name: String,
    hints: String,
    values: String,
    /// Name and content of the configs.
    configs: Vec<(String, Vec<u8>)>,
    list: Vec<u8>,
    /// Name and seed of the layers.
    layers: Vec<(String, String)>,
}

impl Large {
    fn chart(&self, number: usize) -> io::Result<Chart> {
        let name = format!("chart-{number:05}");
        let (mut hints, mut values) = (String::new(), String::new());
        let (mut configs, mut layers, mut list) = (Vec::new(), Vec::new(), Vec::new());
        for image in 0..self.images {
            let mut names = Vec::new();
            for layer in 0..self.layers {
                let seed = format!("{} {number} {image} {layer}", self.architecture);
                let mut hashing = Hashing(Sha256::new());
                Noise::of(&seed).write(self.layer_size, &mut hashing)?;
                let digest = hex::encode(hashing.0.finalize());
                names.push(digest.clone());
                layers.push((format!("{digest}.tar.gz"), seed));
            }
            let diff_ids: Vec<String> = names.iter().map(|n| format!("sha256:{n}")).collect();
            let config = json!({
                "architecture": self.architecture, "os": "linux", "config": {},
                "rootfs": {"type": "layers", "diff_ids": diff_ids},
            });
            let config = config.to_string().into_bytes();
            let config_name = format!("sha256:{}", crate::sha256(&config));
            let repository = format!("large/{name}-{image:03}");
            let files: Vec<String> = names.iter().map(|n| format!("{n}.tar.gz")).collect();
            list.push(json!({"Config": config_name, "RepoTags": [format!("quay.io/{repository}:v1")], "Layers": files}));
            configs.push((config_name, config));
            hints.push_str(&format!(
                "- \"{{{{ .i{image}.registry }}}}/{{{{ .i{image}.repository }}}}:{{{{ .i{image}.tag }}}}\"\n"
            ));
            values.push_str(&format!(
                "i{image}: {{registry: quay.io, repository: {repository}, tag: v1}}\n"
            ));
        }
        let list = json!(list).to_string().into_bytes();
        Ok(Chart { name, hints, values, configs, list, layers })
    }

    fn images_size(&self, chart: &Chart) -> u64 {
        let configs: u64 = chart.configs.iter().map(|(_, c)| entry_size(c.len() as u64)).sum();
        let layers = chart.layers.len() as u64 * entry_size(self.layer_size);
        configs + layers + entry_size(chart.list.len() as u64) + END.len() as u64
    }

    /// Writes the package as a tar archive.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for number in 0..self.charts {
            let chart = self.chart(number)?;
            let metadata = format!("apiVersion: v2\nname: {}\nversion: 1.0.0\n", chart.name);
            let small = [
                ("hints.yaml", chart.hints.as_bytes()),
                ("original-chart/Chart.yaml", metadata.as_bytes()),
                ("original-chart/values.yaml", chart.values.as_bytes()),
            ];
            let images = self.images_size(&chart);
            let bundle = small.iter().map(|(_, text)| entry_size(text.len() as u64)).sum::<u64>()
                + entry_size(images)
                + END.len() as u64;
            write_header(out, &format!("addon/{}_1.0.0.bundle.tar", chart.name), bundle)?;
            for (name, text) in small {
                write_file(out, name, text)?;
            }
            write_header(out, "images.tar", images)?;
            for (name, config) in &chart.configs {
                write_file(out, name, config)?;
            }
            for (name, seed) in &chart.layers {
                write_header(out, name, self.layer_size)?;
                Noise::of(seed).write(self.layer_size, out)?;
                pad(out, self.layer_size)?;
            }
            write_file(out, "manifest.json", &chart.list)?;
            // The ends of images.tar and of the bundle. Both are whole blocks, so they need no padding.
            out.write_all(&END)?;
            out.write_all(&END)?;
        }
        out.write_all(&END)
    }
}

fn write_header(out: &mut impl Write, name: &str, size: u64) -> io::Result<()> {
    let mut block = Vec::new();
    header(&mut block, name, size, tar::EntryType::Regular, "");
    out.write_all(&block)
}

fn write_file(out: &mut impl Write, name: &str, content: &[u8]) -> io::Result<()> {
    write_header(out, name, content.len() as u64)?;
    out.write_all(content)?;
    pad(out, content.len() as u64)
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let rest = usize::try_from(size % 512).unwrap_or(0);
    if rest == 0 { Ok(()) } else { out.write_all(&END[..512 - rest]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn is_a_tar_archive_of_bundles() {
        let large = Large {
            architecture: "amd64".into(),
            charts: 2,
            images: 2,
            layers: 2,
            layer_size: 700,
        };
        let mut packed = Vec::new();
        large.write(&mut packed).expect("to memory");
        let mut outer = tar::Archive::new(packed.as_slice());
        let mut layers = 0;
        for bundle in outer.entries().expect("a tar archive") {
            let mut inner = tar::Archive::new(bundle.expect("a bundle"));
            for entry in inner.entries().expect("a tar archive") {
                let mut entry = entry.expect("an entry");
                if entry.path_bytes().as_ref() != b"images.tar" {
                    continue;
                }
                let mut images = tar::Archive::new(&mut entry);
                for blob in images.entries().expect("a tar archive") {
                    let mut blob = blob.expect("a blob");
                    let name = String::from_utf8_lossy(&blob.path_bytes()).into_owned();
                    let mut content = Vec::new();
                    blob.read_to_end(&mut content).expect("read");
                    if let Some(digest) = name.strip_suffix(".tar.gz") {
                        assert_eq!(digest, crate::sha256(&content));
                        layers += 1;
                    }
                }
            }
        }
        assert_eq!(layers, 8);
    }
}
