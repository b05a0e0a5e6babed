//! Digests.

use std::{fmt, str::FromStr};

use sha2::Digest as _;

use crate::error::{Error, ErrorKind};

/// A hash function that registries accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    /// SHA-256, the usual one.
    Sha256,
    /// SHA-512, which the specification allows.
    Sha512,
}

impl Algorithm {
    /// The name before the colon of a digest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A content digest, `algorithm:hex` with lower-case hex of the right length
/// ([OCI descriptor, "Digests"]). Anything else does not parse.
///
/// ```
/// use multiarch_core::Digest;
/// let digest = Digest::sha256(b"");
/// assert!(digest.to_string().starts_with("sha256:e3b0c442"));
/// assert!("sha256:../../etc/passwd".parse::<Digest>().is_err());
/// ```
///
/// [OCI descriptor, "Digests"]: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: Box<str>,
}

impl Digest {
    /// The SHA-256 digest of these bytes.
    pub fn sha256(bytes: &[u8]) -> Self {
        Hasher::new(Algorithm::Sha256).update(bytes).finish()
    }

    /// A SHA-256 digest from its 64 lower-case hex digits.
    pub(crate) fn from_sha256_hex(hex: &str) -> Option<Self> {
        format!("sha256:{hex}").parse().ok()
    }

    /// The hash function.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hex digits.
    pub(crate) fn hex(&self) -> &str {
        &self.hex
    }

    /// Fails unless these bytes have this digest.
    ///
    /// # Errors
    /// [`ErrorKind::DigestMismatch`].
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Error> {
        let found = Hasher::new(self.algorithm).update(bytes).finish();
        self.compare(&found)
    }

    pub(crate) fn compare(&self, found: &Self) -> Result<(), Error> {
        if *self == *found {
            return Ok(());
        }
        let message = format!("the content has digest {found}");
        Err(Error::new(ErrorKind::DigestMismatch, message).with_digest(self))
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::new(ErrorKind::Malformed, format!("{text:?} is no digest"));
        let (name, hex) = text.split_once(':').ok_or_else(bad)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(bad()),
        };
        let digits = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != algorithm.hex_len() || !digits {
            return Err(bad());
        }
        Ok(Self { algorithm, hex: hex.into() })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|e: Error| serde::de::Error::custom(e.message()))
    }
}

/// A running hash.
#[derive(Clone, Debug)]
pub(crate) struct Hasher(HashState);

#[derive(Clone, Debug)]
enum HashState {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// A fresh hash.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => HashState::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => HashState::Sha512(sha2::Sha512::new()),
        })
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> &mut Self {
        match &mut self.0 {
            HashState::Sha256(state) => state.update(bytes),
            HashState::Sha512(state) => state.update(bytes),
        }
        self
    }

    /// The digest of all bytes so far.
    pub(crate) fn finish(&self) -> Digest {
        let (algorithm, hex) = match &self.0 {
            HashState::Sha256(state) => (Algorithm::Sha256, hex::encode(state.clone().finalize())),
            HashState::Sha512(state) => (Algorithm::Sha512, hex::encode(state.clone().finalize())),
        };
        Digest { algorithm, hex: hex.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // NIST's test vectors for "abc".
    const SHA256: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const SHA512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn known_answers() {
        for text in [SHA256, SHA512] {
            let digest: Digest = text.parse().expect(text);
            assert_eq!(digest.to_string(), text);
            digest.verify(b"abc").expect("matches");
            assert_eq!(
                digest.verify(b"abd").expect_err("differs").kind(),
                ErrorKind::DigestMismatch
            );
        }
    }

    #[test]
    fn refuses_malformed_digests() {
        let upper = SHA256.to_uppercase();
        for text in [
            "",
            "sha256:",
            "sha256:ab",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "../x",
            &upper,
            &SHA256[..70],
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
