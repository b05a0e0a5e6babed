#!/usr/bin/env python3
"""Compare what `multiarch import` makes of real packages with what charts-syncer v0.0.23 left in a registry.

usage: ci/compare_oracles.py MULTIARCH FOLDER

FOLDER holds packages/addon-offline-full-package-<version>-<arch>.tar.gz and
oracles/charts-syncer-<version>-<arch>-registry.json: {"images": {name: {"digest": …, "arch": …}}}.
"""
import hashlib, itertools, json, os, subprocess, sys, tempfile

import comparison
from comparison import check

MULTIARCH, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
REF_NAME = "org.opencontainers.image.ref.name"


def package(version, arch):
    return f"{FOLDER}/packages/addon-offline-full-package-{version}-{arch}.tar.gz"


def oracle(version, arch):
    with open(f"{FOLDER}/oracles/charts-syncer-{version}-{arch}-registry.json") as f:
        return json.load(f)["images"]


def load(*packages, store):
    command = [MULTIARCH, "import", *packages, "--to", f"oci:{store}", "--json", "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True)
    check(result.returncode == 0, f"{command}: exit {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def read(store, digest):
    with open(f"{store}/blobs/{digest.replace(':', '/')}", "rb") as f:
        data = f.read()
    check("sha256:" + hashlib.sha256(data).hexdigest() == digest, f"{digest} is damaged")
    return json.loads(data)


def tags(store):
    with open(f"{store}/index.json") as f:
        return {e["annotations"][REF_NAME]: e["digest"] for e in json.load(f)["manifests"]}


def platforms(store, digest):
    """architecture → (manifest digest, variant of descriptor, variant of config), everything read."""
    document = read(store, digest)
    entries = document.get("manifests") or [{"digest": digest}]
    found = {}
    for entry in entries:
        manifest = read(store, entry["digest"])
        config = read(store, manifest["config"]["digest"])
        for layer in manifest["layers"]:
            size = os.path.getsize(f"{store}/blobs/{layer['digest'].replace(':', '/')}")
            check(size == layer["size"], f"layer {layer['digest']} has {size} bytes")
        check(config["architecture"] not in found, f"{digest} lists an architecture twice")
        described = entry.get("platform", {"architecture": config["architecture"], "os": "linux"})
        check(described["architecture"] == config["architecture"], f"{digest}: wrong platform")
        found[config["architecture"]] = (entry["digest"], described.get("variant"), config.get("variant"))
    return found


def snapshot(store):
    """Every file with its content and its time."""
    files = {}
    for folder, _, names in os.walk(store):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            files[os.path.relpath(path, store)] = (digest, os.stat(path).st_mtime_ns)
    return files


def content(store):
    return {path: digest for path, (digest, _) in snapshot(store).items()}


with tempfile.TemporaryDirectory() as work:
    amd64, arm64 = package("v0.9.0", "amd64"), package("v0.9.0", "arm64")
    want_amd64, want_arm64 = oracle("v0.9.0", "amd64"), oracle("v0.9.0", "arm64")

    # The first architecture: the incumbent's names and digests.
    one = f"{work}/one"
    load(amd64, store=one)
    check(tags(one) == {n: v["digest"] for n, v in want_amd64.items()}, "amd64: names or digests differ")
    print(f"v0.9.0-amd64: {len(want_amd64)} of {len(want_amd64)} names and digests are charts-syncer's")

    # The second one: fused; what it does not hold keeps its digest.
    report = load(arm64, store=one)
    after, both = tags(one), 0
    check(set(after) == set(want_amd64), "arm64 changed the set of names")
    for name, digest in after.items():
        found = platforms(one, digest)
        if name not in want_arm64 or not want_arm64[name]["arch"].startswith("arm64"):
            check(digest == want_amd64[name]["digest"], f"{name} changed without a reason")
            continue
        both += 1
        check(found["amd64"][0] == want_amd64[name]["digest"], f"{name}: amd64 is another image")
        check(found["arm64"][0] == want_arm64[name]["digest"], f"{name}: arm64 is another image")
        check(found["arm64"][1] == found["arm64"][2], f"{name}: variant differs from the config")
    mislabelled = [f["image"] for f in report["findings"] if f["finding"] == "mislabelled"]
    wrong = [n for n, v in want_arm64.items() if not v["arch"].startswith("arm64")]
    check(len(mislabelled) == len(wrong) == 1 and wrong[0] in mislabelled[0], "mislabelled images")
    print(f"v0.9.0-arm64: {both} of {len(want_arm64)} hold amd64 and arm64, {wrong[0]} is reported")

    # Again: nothing is touched.
    before = snapshot(one)
    for packages in ([amd64], [arm64], [amd64, arm64]):
        report = load(*packages, store=one)
        check(report["tags_written"] == 0 and report["blobs_sent"] == 0, "a rerun wrote something")
    check(snapshot(one) == before, "a rerun touched a file")
    print("again: no file was touched")

    # Any order, and both at once: the same bytes.
    for order in ([[arm64], [amd64]], [[amd64, arm64]], [[arm64, amd64]]):
        other = tempfile.mkdtemp(dir=work)
        for packages in order:
            load(*packages, store=other)
        check(content(other) == content(one), f"{order}: other bytes")
    print("arm64 first, both at once in either order: the same bytes everywhere")

    # Upgrades, in every order: nothing is lost.
    newer = [package(v, a) for v in ("v0.12.0", "v0.12.1") for a in ("amd64", "arm64")]
    had = {n: set(platforms(one, d)) for n, d in tags(one).items()}
    results = set()
    for order in itertools.permutations(newer):
        store = tempfile.mkdtemp(dir=work)
        subprocess.run(["cp", "-a", f"{one}/.", store], check=True)
        for path in order:
            previous = {n: set(platforms(store, d)) for n, d in tags(store).items()}
            report = load(path, store=store)
            now = tags(store)
            for name, architectures in previous.items():
                check(architectures <= set(platforms(store, now[name])), f"{name} lost a platform")
            replaced = [(i["name"], d) for i in report["images"] for d in i["decisions"] if d["outcome"] == "replaced"]
            if "v0.12.1" in path:
                arch = path.split("-")[-1].split(".")[0]
                names = sorted(n for n, _ in replaced)
                check(names == ["library/mysql:8.0", "library/redis:alpine"], f"replaced: {names}")
                for name, decision in replaced:
                    check(decision["platform"] == f"linux/{arch}", f"{name}: {decision}")
                    held = platforms(store, now[name])
                    check(held[arch][0] == decision["digest"] and decision["from"] != [decision["digest"]], name)
            else:
                check(replaced == [], f"{path} replaced {replaced}")
        for name, architectures in had.items():
            check(architectures <= set(platforms(store, tags(store)[name])), f"{name} lost a platform")
        results.add(tuple(sorted(tags(store).items())))
        subprocess.run(["rm", "-r", store], check=True)
    check(len(results) == 1, "the order of upgrades shows in the result")
    print("v0.12.0 and v0.12.1 in all 24 orders: nothing lost, two floating tags replaced per architecture")

print(f"compared with the oracles: {comparison.count} checks passed")
