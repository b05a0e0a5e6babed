#!/usr/bin/env python3
"""Import real packages with their charts, and compare with what charts-syncer v0.0.23 left.

usage: ci/compare_charts.py MULTIARCH FOLDER REGISTRY HELM

FOLDER as for compare_oracles.py; REGISTRY has the command line of distribution's registry.
"""
import glob, io, json, os, re, shutil, subprocess, sys, tarfile, tempfile

import yaml

import comparison
from comparison import Registry, check, roomy_folder

MULTIARCH, FOLDER, REGISTRY, HELM = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3], sys.argv[4]
# charts-syncer's name of a mode → ours, and its path.
MODES = {
    "registry": ("registry", None),
    "prefixRegistry": ("prefix-registry", None),
    "prefixRepository": ("prefix-repository", "pp"),
    "repository": ("repository", "p/q"),
    "appendOrigin": ("append-origin", None),
}
# Names of charts-syncer's that are ours, too; submariner's eight images share one value, and in mode
# repository `busybox` and `library/busybox` would share a name, which blocks two charts.
EQUAL = {"registry": 77, "prefixRegistry": 69, "prefixRepository": 69, "repository": 45, "appendOrigin": 77}


def package(version):
    return f"{FOLDER}/packages/addon-offline-full-package-{version}.tar.gz"


def oracle(mode, arch="amd64"):
    with open(f"{FOLDER}/oracles/charts-syncer-v0.9.0-{arch}-{mode}.json") as f:
        return json.load(f)


def run(registry, charts, versions, *more, code=0):
    command = [MULTIARCH, "import", *map(package, versions), "--to", f"docker://{registry.address}"]
    command += ["--charts-to", charts, "--json", "--quiet", *more]
    result = subprocess.run(command, capture_output=True, text=True)
    check(result.returncode == code, f"{command}: exit {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def flags(mode):
    name, path = MODES[mode]
    return ["--names", name] + (["--repository", path] if path else [])


def rendered(chart):
    """The images that Helm prints. None for wordpress, whose disabled subcharts Helm gives no values: its
    hints are rendered by `status`."""
    if os.path.basename(chart).startswith("wordpress"):
        return None
    result = subprocess.run([HELM, "template", "x", chart, "--kube-version", "1.30.0"], capture_output=True, text=True)
    check(result.returncode == 0, f"helm template {chart}: {result.stderr}")
    return re.findall(r'^  image-\d+: "(.*)"$', result.stdout, re.M)


def architectures(registry, name):
    children = registry.children(name)
    return set(children) if children else {registry.architecture(name)}


def status(registry, charts):
    command = [MULTIARCH, "status", "--to", f"docker://{registry.address}", "--charts-to", charts, "--json"]
    result = subprocess.run(command, capture_output=True, text=True)
    check(result.returncode == 0, f"status: {result.stderr}")
    return {chart["chart"]: chart for chart in json.loads(result.stdout)["charts"]}


def everything_renders(registry, charts, expected):
    """Every image of every stored chart is there, for every architecture that the packages hold."""
    seen, tags = 0, registry.tags()
    for chart in sorted(glob.glob(f"{charts}/*.tgz")):
        for image in rendered(chart) or []:
            check(image.startswith(registry.address), f"{chart} names {image}")
            name = image[len(registry.address) + 1 :]
            check(name in tags, f"{chart}: {image} is not there")
            held = architectures(registry, name)
            source = expected.get(os.path.basename(chart), {"amd64"})
            check(held >= source or name.startswith("aquasec/kube-bench") or "kube-bench" in name, f"{chart}: {image} has {held}")
            seen += 1
    for name, chart in status(registry, f"dir:{charts}").items():
        check("missing" not in chart, f"{name} names {chart.get('missing')}")
    return seen


def charts_by_architecture(version="v0.9.0"):
    """Which architectures of each chart the packages hold."""
    found = {}
    for arch in ("amd64", "arm64"):
        with tarfile.open(package(f"{version}-{arch}")) as archive:
            for member in archive.getnames():
                if member.endswith(".bundle.tar"):
                    name = os.path.basename(member)[: -len(".bundle.tar")].replace("_", "-", 1)
                    found.setdefault(f"{name}.tgz", set()).add(arch)
    return found


def compare_modes(work):
    expected = charts_by_architecture()
    for mode in MODES:
        registry, charts = Registry(REGISTRY, work), f"{work}/charts-{mode}"
        blocked = mode == "repository"
        run(registry, f"dir:{charts}", ["v0.9.0-amd64"], *flags(mode), code=int(blocked))
        theirs, ours = oracle(mode), registry.tags()
        equal = {n for n, v in theirs["images"].items() if ours.get(n) == v["digest"]}
        check(len(equal) == EQUAL[mode], f"{mode}: {len(equal)} names and digests are charts-syncer's")
        differ = sorted(set(theirs["images"]) - equal)
        check(all("lighthouse" in n or "submariner" in n or "nettest" in n or blocked for n in differ), f"{mode}: {differ}")
        same = 0
        for chart, images in theirs["charts"].items():
            path = f"{charts}/{chart}"
            if not os.path.exists(path):
                check(blocked and chart.split("-")[0] in ("argo", "opentelemetry"), f"{mode}: {chart} is not there")
                continue
            printed = rendered(path)
            if printed is None:
                continue
            mine = [i.replace(registry.address, "REGISTRY") for i in printed]
            right = {i.removeprefix("REGISTRY/") for i in images} <= set(theirs["images"])
            if right:
                check(mine == images, f"{mode}: {chart} renders {mine}, not {images}")
                same += 1
        before = registry.tags()
        # arm64 has one of the two images of mode repository's clash alone.
        run(registry, f"dir:{charts}", ["v0.9.0-arm64"], *flags(mode))
        held = expected | ({"opentelemetry-demo-lite-1.1.7.tgz": {"arm64"}} if blocked else {})
        seen = everything_renders(registry, charts, held)
        check(blocked or set(registry.tags()) == set(before), f"{mode}: the second architecture made other names")
        stamps = {p: (os.stat(p).st_mtime_ns, open(p, "rb").read()) for p in glob.glob(f"{charts}/*")}
        count = len(registry.requests())
        report = run(registry, f"dir:{charts}", ["v0.9.0-arm64", "v0.9.0-amd64"], *flags(mode), code=int(blocked))
        check(all(m in ("GET", "HEAD") for m, _ in registry.requests()[count:]), f"{mode}: a rerun wrote")
        check(stamps == {p: (os.stat(p).st_mtime_ns, open(p, "rb").read()) for p in glob.glob(f"{charts}/*")}, f"{mode}: a rerun touched charts")
        registry.stop()
        print(f"{mode}: {len(equal)} of {len(theirs['images'])} names and digests, {same} of {len(theirs['charts'])} charts render charts-syncer's list, {seen} images of charts exist for every architecture; others: {len(differ)}")


def compare_newer(work):
    for version in ("v0.12.0", "v0.12.1"):
        seen, expected = [], charts_by_architecture(version)
        for mode in MODES:
            registry, charts = Registry(REGISTRY, work), tempfile.mkdtemp(dir=work)
            run(registry, f"dir:{charts}", [f"{version}-amd64"], *flags(mode))
            run(registry, f"dir:{charts}", [f"{version}-arm64"])
            check(len(glob.glob(f"{charts}/*.tgz")) == len(expected), f"{version} {mode}: a chart is missing")
            seen.append(everything_renders(registry, charts, expected))
            registry.stop()
        print(f"{version}, the second architecture without the mode: {seen} images of charts exist for every architecture")


def left_by_charts_syncer(mode, sources, registry, work):
    """A chart directory and a registry as charts-syncer leaves them: its names pushed from `sources`, where each
    digest is, and charts with values that make Helm print its list."""
    theirs = oracle(mode)
    for name, image in theirs["images"].items():
        source = sources[image["digest"]]
        subprocess.run(
            ["skopeo", "copy", "--quiet", "--insecure-policy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false", source, f"docker://{registry.address}/{name}"],
            check=True,
        )
    check({n: registry.digest(n) for n in theirs["images"]} == {n: v["digest"] for n, v in theirs["images"].items()}, "the oracle is pushed")
    charts = tempfile.mkdtemp(dir=work)
    with tarfile.open(package("v0.9.0-amd64")) as archive:
        for member in archive:
            if not member.name.endswith(".bundle.tar"):
                continue
            with tarfile.open(fileobj=io.BytesIO(archive.extractfile(member).read())) as bundle:
                files = {f.name: bundle.extractfile(f).read() for f in bundle if f.name.startswith("original-chart/") or f.name == "hints.yaml"}
            name = os.path.basename(member.name)[: -len(".bundle.tar")].replace("_", "-", 1)
            if name.startswith("wordpress"):
                continue
            images = [i.replace("REGISTRY", registry.address) for i in theirs["charts"][f"{name}.tgz"]]
            hints = re.findall(r'"(.*)"', files["hints.yaml"].decode())
            check(len(hints) == len(images), f"{name}: one image a hint")
            folder = f"{work}/original/{name.rsplit('-', 1)[0]}"
            shutil.rmtree(folder, ignore_errors=True)
            for path, content in files.items():
                if path.startswith("original-chart/"):
                    target = f"{folder}/{path[len('original-chart/'):]}"
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    open(target, "wb").write(content)
            edit(folder, hints, images)
            subprocess.run([HELM, "package", folder, "-d", charts], check=True, capture_output=True)
            packed = glob.glob(f"{charts}/{name}*.tgz")
            check(len(packed) == 1 and rendered(packed[0]) == images, f"{name}: {rendered(packed[0])} is not {images}")
    subprocess.run([HELM, "repo", "index", charts], check=True)
    return charts


def edit(folder, hints, images):
    """Sets the values that hints read, so that each gives its image: registry alone where the rest
    stands already, or registry and repository."""
    with open(f"{folder}/values.yaml") as f:
        values = yaml.safe_load(f) or {}

    def put(path, value):
        keys = path.split(".")
        table = values
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value

    for hint, image in zip(hints, images):
        host, rest = image.split("/", 1)
        repository, _ = rest.rsplit(":", 1)
        parts = [p.strip()[1:] for p in re.findall(r"\{\{(.*?)\}\}", hint)]
        name = hint.rsplit(":", 1)[0]
        literal = re.sub(r".*\}\}", "", name)
        if name.count("{{") == 2:
            put(parts[0], host)
            put(parts[1], repository.removesuffix(literal))
        else:
            put(parts[0], f"{host}/{repository}")
    with open(f"{folder}/values.yaml", "w") as f:
        json.dump(values, f)


def compare_after_charts_syncer(work):
    expected = charts_by_architecture()
    # The manifests are the same in every mode.
    base = Registry(REGISTRY, work)
    command = [MULTIARCH, "import", package("v0.9.0-amd64"), "--to", f"docker://{base.address}", "-q", "--json"]
    subprocess.run(command, check=True, capture_output=True)
    sources = {digest: f"docker://{base.address}/{name}" for name, digest in base.tags().items()}
    for mode in ("prefixRegistry", "appendOrigin", "repository", "prefixRepository", "registry"):
        registry = Registry(REGISTRY, work)
        charts = left_by_charts_syncer(mode, sources, registry, work)
        before = registry.tags()
        report = run(registry, f"dir:{charts}", ["v0.9.0-arm64"])
        after = registry.tags()
        check(set(before) <= set(after), f"{mode}: a name is gone")
        new = sorted(set(after) - set(before))
        mended = {f["image"] for f in report["findings"] if f["finding"] == "mended"}
        replaced = [f["chart"] for f in report["findings"] if f["finding"] == "chart-replaced"]
        check(new == sorted(mended), f"{mode}: {new} are new, {mended} mended")
        broken = mode in ("prefixRegistry", "prefixRepository", "repository")
        check(replaced == (["submariner-operator-0.14.0"] if broken else []), f"{mode}: replaced {replaced}")
        seen = everything_renders(registry, charts, expected)
        count = len(registry.requests())
        run(registry, f"dir:{charts}", ["v0.9.0-arm64"])
        check(all(m in ("GET", "HEAD") for m, _ in registry.requests()[count:]), f"{mode}: a rerun wrote")
        registry.stop()
        print(f"after charts-syncer in mode {mode}: fused into its names, {len(mended)} mended, {seen} images of charts exist for every architecture")
    base.stop()


with roomy_folder() as work:
    compare_modes(work)
    compare_newer(work)
    compare_after_charts_syncer(work)
print(f"compared charts: {comparison.count} checks passed")
