#!/usr/bin/env python3
"""Import real packages into real registries and compare with what charts-syncer v0.0.23 left in one.

usage: ci/compare_registries.py MULTIARCH FOLDER REGISTRY...

FOLDER as for compare_oracles.py; REGISTRY is olareg, crane, or a program with the command line of
distribution's registry.
"""
import json, os, re, shutil, socket, subprocess, sys, tempfile, time, urllib.request

MULTIARCH, FOLDER, REGISTRIES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
ACCEPT = ", ".join(
    "application/vnd." + name
    for name in (
        "oci.image.index.v1+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "docker.distribution.manifest.v2+json",
    )
)
CHECKS = 0


def check(condition, message):
    global CHECKS
    CHECKS += 1
    if not condition:
        sys.exit(f"FAILED: {message}")


def share(source, copy):
    """Copies a file of a registry; blobs never change."""
    (os.link if source.endswith("/data") else shutil.copyfile)(source, copy)


class Registry:
    def __init__(self, program, work, like=None):
        """`like`: another one, whose data is copied."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % s.getsockname()[1]
        self.folder = folder = tempfile.mkdtemp(dir=work)
        if like:
            shutil.copytree(f"{like.folder}/data", f"{folder}/data", copy_function=share)
        with open(f"{folder}/config.yml", "w") as f:
            f.write(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{self.address}'}}\n")
        self.log = f"{folder}/log"
        with open(self.log, "w") as log:
            host, port = self.address.split(":")
            command = {
                "olareg": [program, "serve", "--addr", host, "--port", port, "--dir", folder],
                "crane": [program, "registry", "serve", "--address", self.address],
            }.get(os.path.basename(program), [program, "serve", f"{folder}/config.yml"])
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{self.address}/v2/").close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{program} does not start")

    def load(self, *versions):
        packages = [f"{FOLDER}/packages/addon-offline-full-package-{v}.tar.gz" for v in versions]
        command = [MULTIARCH, "import", *packages, "--to", f"docker://{self.address}", "--json", "--quiet"]
        result = subprocess.run(command, capture_output=True, text=True)
        check(result.returncode == 0, f"{command}: exit {result.returncode}: {result.stderr}")
        return json.loads(result.stdout)

    def get(self, path):
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", headers={"Accept": ACCEPT})
        with urllib.request.urlopen(request) as response:
            return response.headers.get("Docker-Content-Digest"), json.load(response)

    def tags(self):
        found = {}
        for repository in self.get("_catalog?n=1000")[1]["repositories"]:
            for tag in self.get(f"{repository}/tags/list")[1]["tags"]:
                found[f"{repository}:{tag}"] = self.digest(f"{repository}:{tag}")
        return found

    def digest(self, name):
        return self.get("/manifests/".join(name.rsplit(":", 1)))[0]

    def children(self, name):
        repository, tag = name.rsplit(":", 1)
        document = self.get(f"{repository}/manifests/{tag}")[1]
        return {e["platform"]["architecture"]: e["digest"] for e in document.get("manifests", [])}

    def requests(self):
        with open(self.log, errors="replace") as log:
            return re.findall(r'"(GET|HEAD|PUT|POST|PATCH|DELETE) (/v2/\S*) HTTP', log.read())

    def stop(self):
        self.process.kill()
        self.process.wait()


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
        report = after.load(version)
        for image, children in held.items():
            check(set(children) <= set(after.children(image)), f"{name}: {image} lost a platform")
        replaced = sorted(i["name"] for i in report["images"] for d in i["decisions"] if d["outcome"] == "replaced")
        floating = ["library/mysql:8.0", "library/redis:alpine"] if "v0.12.1" in version else []
        check(replaced == floating, f"{name}: {version} replaced {replaced}")
        upgrade(name, program, work, after, [v for v in left if v != version], ends)
        after.stop()
        shutil.rmtree(after.folder)


amd64, arm64 = oracle("amd64"), oracle("arm64")
# Many copies of registries are made; in memory that takes a third of the time.
FAST = "/dev/shm"
roomy = os.path.isdir(FAST) and shutil.disk_usage(FAST).free > 4 << 30
with tempfile.TemporaryDirectory(dir=FAST if roomy else None) as work:
    for program in REGISTRIES:
        name = os.path.basename(program)
        if name in ("olareg", "crane"):
            # They do not list or log as distribution does: the end state is asked name by name.
            small = Registry(program, work)
            small.load("v0.9.0-amd64")
            small.load("v0.9.0-arm64")
            check({n: small.digest(n) for n in fused} == fused, f"{name}: the end state differs")
            small.stop()
            print(f"{name}: the same end state")
            continue
        first = Registry(program, work)
        first.load("v0.9.0-amd64")
        check(first.tags() == {n: v["digest"] for n, v in amd64.items()}, f"{name}: names or digests differ")
        first.load("v0.9.0-arm64")
        fused, both = first.tags(), 0
        for image, digest in fused.items():
            if image in arm64 and arm64[image]["arch"].startswith("arm64"):
                both += 1
                expected = {"amd64": amd64[image]["digest"], "arm64": arm64[image]["digest"]}
                check(first.children(image) == expected, f"{name}: {image}")
            else:
                check(digest == amd64[image]["digest"], f"{name}: {image} changed without a reason")
        before = len(first.requests())
        report = first.load("v0.9.0-amd64", "v0.9.0-arm64")
        again = first.requests()[before:]
        check(again and all(m == "GET" and "/blobs/" not in p for m, p in again), f"{name}: a rerun wrote or asked for blobs")
        check(report["tags_written"] == 0, f"{name}: a rerun wrote a tag")
        for order in (["v0.9.0-arm64", "v0.9.0-amd64"], ["v0.9.0-amd64 v0.9.0-arm64"]):
            other = Registry(program, work)
            for versions in order:
                other.load(*versions.split())
            check(other.tags() == fused, f"{name}: {order}: other digests")
            other.stop()
        first.stop()
        before = Registry(program, work)
        before.load("v0.9.0-amd64", "v0.9.0-arm64")
        ends = set()
        upgrade(name, program, work, before, UPGRADES, ends)
        before.stop()
        check(len(ends) == 1, f"{name}: the order of upgrades shows in the end")
        print(f"{name}: {len(amd64)} names and digests are charts-syncer's, {both} hold both architectures, {len(again)} reads on a rerun, any order gives the same")
print(f"compared in registries: {CHECKS} checks passed")
