#!/usr/bin/env python3
"""Import real packages into real registries and compare with what charts-syncer v0.0.23 left in one.

usage: ci/compare_registries.py MULTIARCH FOLDER REGISTRY...

FOLDER as for compare_oracles.py; REGISTRY is olareg, crane, or a program with the command line of
distribution's registry.
"""
import json, os, shutil, subprocess, sys

import comparison
from comparison import Registry, check, roomy_folder

MULTIARCH, FOLDER, REGISTRIES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]


def load(registry, *versions):
    packages = [f"{FOLDER}/packages/addon-offline-full-package-{v}.tar.gz" for v in versions]
    command = [MULTIARCH, "import", *packages, "--to", f"docker://{registry.address}", "--json", "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True)
    check(result.returncode == 0, f"{command}: exit {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def oracle(arch):
    with open(f"{FOLDER}/oracles/charts-syncer-v0.9.0-{arch}-registry.json") as f:
        return json.load(f)["images"]


UPGRADES = ["v0.12.0-amd64", "v0.12.0-arm64", "v0.12.1-amd64", "v0.12.1-arm64"]


def upgrade(name, program, work, before, left, ends):
    """All orders of what is left, each step from a copy of the registry before it."""
    held = {image: before.children(image) for image in before.tags()}
    if not left:
        ends.add(json.dumps(held, sort_keys=True))
    for version in left:
        after = Registry(program, work, like=before)
        report = load(after, version)
        for image, children in held.items():
            check(set(children) <= set(after.children(image)), f"{name}: {image} lost a platform")
        replaced = sorted(i["name"] for i in report["images"] for d in i["decisions"] if d["outcome"] == "replaced")
        floating = ["library/mysql:8.0", "library/redis:alpine"] if "v0.12.1" in version else []
        check(replaced == floating, f"{name}: {version} replaced {replaced}")
        upgrade(name, program, work, after, [v for v in left if v != version], ends)
        after.stop()
        shutil.rmtree(after.folder)


amd64, arm64 = oracle("amd64"), oracle("arm64")
with roomy_folder() as work:
    for program in REGISTRIES:
        name = os.path.basename(program)
        if name in ("olareg", "crane"):
            # They do not list or log as distribution does: the end state is asked name by name.
            small = Registry(program, work)
            load(small, "v0.9.0-amd64")
            load(small, "v0.9.0-arm64")
            check({n: small.digest(n) for n in fused} == fused, f"{name}: the end state differs")
            small.stop()
            print(f"{name}: the same end state")
            continue
        first = Registry(program, work)
        load(first, "v0.9.0-amd64")
        check(first.tags() == {n: v["digest"] for n, v in amd64.items()}, f"{name}: names or digests differ")
        load(first, "v0.9.0-arm64")
        fused, both = first.tags(), 0
        for image, digest in fused.items():
            if image in arm64 and arm64[image]["arch"].startswith("arm64"):
                both += 1
                expected = {"amd64": amd64[image]["digest"], "arm64": arm64[image]["digest"]}
                check(first.children(image) == expected, f"{name}: {image}")
            else:
                check(digest == amd64[image]["digest"], f"{name}: {image} changed without a reason")
        before = len(first.requests())
        report = load(first, "v0.9.0-amd64", "v0.9.0-arm64")
        again = first.requests()[before:]
        tags = [p for m, p in again if m == "GET" and "/manifests/" in p and "/manifests/sha256:" not in p]
        children = [p for m, p in again if m == "HEAD" and "/manifests/sha256:" in p]
        check(len(tags) == len(fused), f"{name}: a rerun read {len(tags)} tags of {len(fused)}")
        check(len(children) == 2 * both, f"{name}: a rerun asked for {len(children)} listed children of {2 * both}")
        greetings = [p for m, p in again if m == "GET" and p == "/v2/"]
        check(len(greetings) == 1, f"{name}: a rerun greeted {len(greetings)} times")
        check(len(again) == 1 + len(tags) + len(children), f"{name}: a rerun wrote, or asked for more")
        check(report["tags_written"] == 0, f"{name}: a rerun wrote a tag")
        for order in (["v0.9.0-arm64", "v0.9.0-amd64"], ["v0.9.0-amd64 v0.9.0-arm64"]):
            other = Registry(program, work)
            for versions in order:
                load(other, *versions.split())
            check(other.tags() == fused, f"{name}: {order}: other digests")
            other.stop()
        first.stop()
        before = Registry(program, work)
        load(before, "v0.9.0-amd64", "v0.9.0-arm64")
        ends = set()
        upgrade(name, program, work, before, UPGRADES, ends)
        before.stop()
        check(len(ends) == 1, f"{name}: the order of upgrades shows in the end")
        print(f"{name}: {len(amd64)} names and digests are charts-syncer's, {both} hold both architectures, {len(again)} reads on a rerun, any order gives the same")
print(f"compared in registries: {comparison.count} checks passed")
