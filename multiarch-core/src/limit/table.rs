//! The table of limits. For each there is a test of its name in `tests/limits`, which fails without it.

use super::Limit;

macro_rules! limits {
    ($($(#[$about:meta])* $name:ident = $limit:expr;)*) => {
        $(
            $(#[$about])*
            #[cfg_attr(not(feature = "registry"), allow(dead_code, reason = "some are of servers"))]
            pub(crate) const $name: Limit = $limit;
        )*

        /// Every limit by its name.
        #[cfg(test)]
        pub(crate) const LIMITS: &[(&str, Limit)] = &[$((stringify!($name), $name)),*];
    };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

limits! {
    /// With the extensions that stand before it.
    TAR_HEADER = Limit::bytes(MIB, "a tar header");
    /// As in Linux.
    PATH = Limit::bytes(4 * KIB, "a path");
    /// Without the files kept with it. The largest real package has some 10 000 entries, which take some 4 MiB.
    LISTING = Limit::bytes(48 * MIB, "memory for the list of what is in the package");
    /// `images.tar` in a bundle in a package is three deep.
    ARCHIVE_DEPTH = Limit::levels(8, "archives");
    /// The largest real package has some 1500. Each is opened by itself.
    ARCHIVES = Limit::count(20_000, "archives in the package");
    /// The largest real package has some 500.
    BUNDLES = Limit::count(10_000, "bundles in the package");
    /// In a directory, and in the paths of an archive.
    FOLDER_DEPTH = Limit::levels(64, "folders");
    /// Each level could multiply what the one above it has, without end.
    UNPACKED = Limit::bytes(4 * GIB, "unpacked archives, besides 1000 times the package's size,");
    /// Times the size of a package, which its archives may unpack to besides [`UNPACKED`].
    UNPACK_RATIO = Limit::count(1000, "times the package's size in unpacked archives, besides 4 GiB");
    /// They are kept while a stream is read, with those of the streams around it.
    ZSTD_WINDOWS = Limit::bytes(192 * MIB, "windows of Zstandard streams in one another");
    /// It is read because the checksum of a compressed stream comes after it.
    PADDING = Limit::bytes(256 * MIB, "padding after an archive");
    SPARSE_PIECES = Limit::count(1 << 18, "pieces of a sparse file");
    /// They are kept in memory.
    ALL_SPARSE_PIECES = Limit::count(1 << 20, "pieces of sparse files");
    SPARSE_HOLES = Limit::bytes(64 * GIB, "holes of a sparse file");
    /// A file that may be a manifest or a config is kept with the listing, so that it is not read again.
    KEPT_FILE = Limit::bytes(4 * MIB, "a file kept with the listing");
    /// In all packages of a run. 3000 real images have some 35 MiB.
    KEPT_FILES = Limit::bytes(48 * MIB, "files kept with the listings");
    /// Those that are not kept. Only in Zstandard, which has no checkpoints, is reading one of them long.
    UNPACKED_AGAIN = Limit::bytes(16 * GIB, "what is unpacked again for manifests and configs, besides the package's size,");
    /// That of a real package has some 20 MiB. Beyond, the package is read anew.
    CACHED_INDEX = Limit::bytes(96 * MIB, "a cached index of a package");
    /// Entries, streams, checkpoints, digests. The largest real package has some 15 000.
    CACHED_VALUES = Limit::count(500_000, "values in a cached index of a package");
    LINKS = Limit::count(8, "links in a row");
    /// Those of the lowest layers, which hold the system's own.
    PROGRAMS = Limit::count(64, "programs looked at in an image");
    LAYER_FOR_PROGRAMS = Limit::bytes(512 * MIB, "a layer read for its programs");
    /// Besides 16 MiB. Real ones unpack to some three times their size.
    PROGRAMS_RATIO = Limit::count(100, "times a layer's size read for its programs, besides 16 MiB");
    LAYERS_FOR_PROGRAMS = Limit::bytes(64 * GIB, "layers read for their programs");
    /// Enough for some 75 000 tags.
    LAYOUT_INDEX = Limit::bytes(16 * MIB, "an index.json");
    /// Real ones are nested once.
    INDEX_DEPTH = Limit::levels(4, "indexes");
    /// Real ones have some dozens.
    INDEX_ENTRIES = Limit::count(20_000, "entries of an index, with those of nested indexes");
    /// What registries take: OCI distribution specification, "Pushing Manifests".
    MANIFEST = Limit::bytes(4 * MIB, "a manifest or an index");
    /// The specification sets no limit; real ones are smaller than 100 KiB.
    CONFIG = Limit::bytes(8 * MIB, "an image's config");
    /// They are kept in memory, those of all packages of a run; a config counts twice, because it is kept as values.
    /// 3000 real images have some 60 MiB.
    DOCUMENTS = Limit::bytes(128 * MIB, "manifests and configs of all packages");
    /// They are kept in memory until the end of a run, an index as its text and as what becomes of it. 3000 tags of two
    /// platforms have some 140 MiB where every config is read.
    HELD_DOCUMENTS = Limit::bytes(192 * MIB, "memory for what the tags of the target hold");
    /// As in distribution/reference, for host and path together.
    REFERENCE = Limit::bytes(255, "a name");
    /// Kept in memory while it is copied from one repository of the target to another.
    COPIED_BLOB = Limit::bytes(64 * MIB, "a blob copied within the target");
    /// Counted before it is read into memory. Real ones have some thousand.
    DOCUMENT_VALUES = Limit::count(200_000, "values in a manifest or an index");
    CONFIG_VALUES = Limit::count(20_000, "values in an image's config");
    LAYOUT_INDEX_VALUES = Limit::count(1_000_000, "values in an index.json");
    /// With each platform of each name. Real packages have some hundred.
    IMAGES = Limit::count(20_000, "images and names in one archive or layout");
    CHART_FILE = Limit::bytes(16 * MIB, "a file of a chart");
    /// With headroom for charts that Helm packs into 20 MiB.
    CHART = Limit::bytes(64 * MIB, "a chart with its packed subcharts");
    /// What the headers of a packed chart take besides its files.
    CHART_HEADERS = Limit::bytes(16 * MIB, "headers of a packed chart");
    SUBCHART_DEPTH = Limit::levels(16, "charts");
    /// In all subcharts together.
    SUBCHARTS = Limit::count(500, "subcharts");
    DEPENDENCIES = Limit::count(500, "dependencies of a chart and its subcharts");
    /// What subcharts under several names and globals multiply. A longer text counts as several values.
    MERGED_VALUES = Limit::count(200_000, "values of a chart with those of its subcharts");
    /// A value that names an image has the rest of its name beside it, in a table of a few values.
    VALUES_BESIDE = Limit::count(200, "values beside one that may name an image");
    /// A chart of 400 hints and 10 000 values, and what real ones have a hundredth of.
    HINTED_VALUES = Limit::count(4_000_000, "values for all hints of a chart together");
    /// Each is relocated by itself.
    UNHINTED = Limit::count(1_000, "values that name an image without a hint");
    UNHINTED_PAIRS = Limit::count(200_000, "pairs of values that may name an image");
    /// Real charts have some forty.
    HINTS = Limit::count(1_000, "hints");
    HINT = Limit::bytes(4 * KIB, "a hint");
    /// As in Helm, which reads no larger file of a chart.
    YAML_SOURCE = Limit::bytes(5 * MIB, "a YAML text");
    /// Some 300 charts have 10 MiB.
    CHARTS_YAML = Limit::bytes(64 * MIB, "YAML texts of a package's charts");
    /// An alias counts as what it unfolds to, and an anchor as a second copy, because both are copies in
    /// memory. A mapping takes as much as ten other values, and counts as ten.
    YAML_VALUES = Limit::count(200_000, "values in a YAML text, unfolded");
    /// Each text, and each chart, may be within its limits, and all of them are in memory at once: the values of
    /// each chart by itself, and merged with those of its subcharts. Those of 300 charts take some 40 MiB.
    CHARTS_VALUES = Limit::bytes(96 * MIB, "memory for the values of all charts");
    /// With their values, as above, and their files. Those of 300 charts take some 70 MiB.
    STORED_CHARTS = Limit::bytes(96 * MIB, "memory for charts of a chart repository");
    /// Helm's own limit is 20 MiB; several are fetched at once.
    PACKED_CHART = Limit::bytes(20 * MIB, "a packed chart");
    /// Besides twice the text's own size.
    YAML_TEXT = Limit::bytes(16 * MIB, "strings in a YAML text, unfolded,");
    YAML_DEPTH = Limit::levels(200, "YAML values");
    /// Counted before it is read into memory, where each takes many times its bytes.
    SCHEMA_VALUES = Limit::count(200_000, "values in a values schema");
    /// References lead around in circles; deeper parts are not looked at.
    SCHEMA_DEPTH = Limit::levels(32, "parts of a values schema");
    /// Each part may refer to several others, which could multiply without end.
    SCHEMA_PARTS = Limit::count(10_000, "parts of a values schema for one value");
    /// This one and the next are those of Helm's reader.
    VERSION_RANGE = Limit::bytes(512, "a range of versions");
    VERSION_ALTERNATIVES = Limit::count(32, "alternatives in a range of versions");
    /// Enough for some 60 000 versions of charts.
    REPO_INDEX = Limit::bytes(64 * MIB, "the index of a chart repository");
    /// It has some 25 for each version of a chart, as above.
    REPO_INDEX_VALUES = Limit::count(1_500_000, "values in the index of a chart repository");
    CHART_REPO_ANSWER = Limit::bytes(MIB, "an answer of a chart repository");
    LIST_PAGE = Limit::bytes(8 * MIB, "a page of a registry's list");
    /// Some 700 000 names, of repositories and of the tags in all of them.
    LIST = Limit::bytes(64 * MIB, "a registry's lists");
    REFUSAL = Limit::bytes(64 * KIB, "the text of a refusal");
    /// That for a tag with many others has some 100 KiB.
    ADMINISTRATION_ANSWER = Limit::bytes(MIB, "an answer of a registry's administration");
    TOKEN_ANSWER = Limit::bytes(MIB, "a token server's answer");
    /// The authorities of a system have some 300 KiB.
    USER_FILE = Limit::bytes(4 * MIB, "a file with logins or certificates");
    HELPER_OUTPUT = Limit::bytes(64 * KIB, "what a credential helper prints");
    REDIRECTS = Limit::count(10, "redirects of one request");
    HELM_OUTPUT = Limit::bytes(64 * MIB, "what helm printed");
}
