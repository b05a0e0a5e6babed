#!/usr/bin/env python3
"""Measure whole imports against a floor and against peers, alternating, in one run.

usage: benches/run.py --multiarch BINARY --amd64 PACKAGE --arm64 PACKAGE --registry PROGRAM... [--rounds 5]
                      [--oras ORAS] [--regctl REGCTL] [--skopeo SKOPEO] [--plain] [--before BINARY]
                      [--work FOLDER] [--out FILE.json]

floor   every distinct blob PUT once over four connections, from extracted files, no manifests
pigz    `pigz -dc` of the package to /dev/null
index   `multiarch inspect` of the package, without a kept index
first   import of the first package into an empty registry: without a kept index, and with one
second  import of the second architecture after it; likewise
rerun   both packages again, everything there
plain   import of the first package as a plain tar, without a kept index
before  first, second and rerun by an older binary of this command, beside those of the new one
oras, regctl  four at once, one image each, from an OCI layout that is already extracted and merged
skopeo  likewise, from the docker-archives, already extracted

Each registry is started anew for every measurement, with its data below --work (default: /dev/shm where it
has 8 GB). Medians, and ratios of medians, are printed; raw seconds go to --out.
"""
import argparse, contextlib, http.client, json, os, platform, queue, shutil, statistics, subprocess, sys, tarfile, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../ci"))
from comparison import Registry

parser = argparse.ArgumentParser()
for name in ("multiarch", "amd64", "arm64"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--registry", nargs="+", required=True)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--oras")
parser.add_argument("--regctl")
parser.add_argument("--skopeo")
parser.add_argument("--before", help="an older binary of this command")
parser.add_argument("--plain", action="store_true", help="also measure the first package as a plain tar")
parser.add_argument("--work")
parser.add_argument("--out")
args = parser.parse_args()
if not args.work:
    args.work = "/dev/shm" if os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 8 << 30 else None


@contextlib.contextmanager
def started(program, work):
    """A fresh registry; it and its data are gone afterwards."""
    registry = Registry(program, work, quiet=True)
    try:
        yield registry
    finally:
        registry.stop()
        shutil.rmtree(registry.folder)


def archives(package):
    """The docker-archives of a package, as streams."""
    with tarfile.open(package) as outer:
        for bundle in outer:
            if bundle.name.endswith(".bundle.tar"):
                with tarfile.open(fileobj=outer.extractfile(bundle), mode="r|") as inner:
                    for member in inner:
                        if member.name == "images.tar":
                            yield inner.extractfile(member)


def extract(package, folder):
    """The distinct blobs of a package's images, as files by digest."""
    for archive in archives(package):
        with tarfile.open(fileobj=archive, mode="r|") as images:
            for blob in images:
                name = blob.name.removeprefix("sha256:").removesuffix(".tar.gz")
                if blob.name != "manifest.json" and not os.path.exists(f"{folder}/{name}"):
                    with open(f"{folder}/{name}", "wb") as f:
                        shutil.copyfileobj(images.extractfile(blob), f, 1 << 20)


def put_all(registry, folder, connections=4):
    work = queue.Queue()
    for name in os.listdir(folder):
        work.put(name)
    failures = []

    def send():
        connection = http.client.HTTPConnection(registry.address)
        while True:
            try:
                name = work.get_nowait()
            except queue.Empty:
                return
            connection.request("POST", "/v2/floor/blobs/uploads/")
            answer = connection.getresponse()
            answer.read()
            where = answer.getheader("Location").split(registry.address, 1)[-1]
            size = os.path.getsize(f"{folder}/{name}")
            connection.putrequest("PUT", f"{where}{'&' if '?' in where else '?'}digest=sha256:{name}")
            connection.putheader("Content-Length", str(size))
            connection.putheader("Content-Type", "application/octet-stream")
            connection.endheaders()
            with open(f"{folder}/{name}", "rb") as f:
                connection.sock.sendfile(f)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                failures.append(answer.status)

    threads = [threading.Thread(target=send) for _ in range(connections)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if failures:
        sys.exit(f"the floor failed: {failures[:3]}")


results = {}


def measure(name, action):
    os.sync()
    before, begun = os.times(), time.perf_counter()
    action()
    seconds, after = time.perf_counter() - begun, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    results.setdefault(name, {"seconds": [], "client_cpu": []})
    results[name]["seconds"].append(round(seconds, 3))
    results[name]["client_cpu"].append(round(cpu, 3))
    print(f"{name}: {seconds:.2f} s", flush=True)


def run(*command, environment=None):
    result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
    if result.returncode:
        sys.exit(f"{command}: {result.stderr.decode()}")


def peer(kind, registry, work):
    """Copies every image by a peer, four at once."""
    commands = []
    if kind == "skopeo":
        for number, tags in enumerate(json.load(open(f"{work}/archives.json"))):
            for tag in tags:
                name = tag.split("/", 1)[1] if "." in tag.split("/")[0] else tag
                commands.append(f"{args.skopeo} copy -q --dest-tls-verify=false docker-archive:{work}/archive-{number}.tar:{tag} docker://{registry.address}/{name}")
    else:
        layout = f"{work}/layout"
        with open(f"{layout}/index.json") as f:
            entries = json.load(f)["manifests"]
        for entry in entries:
            name = f"{registry.address}/{entry['annotations']['org.opencontainers.image.ref.name']}"
            if kind == "oras":
                commands.append(f"{args.oras} cp --from-oci-layout --to-plain-http {layout}@{entry['digest']} {name}")
            else:
                commands.append(f"{args.regctl} image copy --host reg={registry.address},tls=disabled ocidir://{layout}@{entry['digest']} {name}")
    result = subprocess.run(["xargs", "-P4", "-I{}", "sh", "-c", "{} >/dev/null 2>&1"], input="\n".join(commands), text=True)
    if result.returncode:
        sys.exit(f"{kind} failed")


def prepare(work):
    """What the peers begin with."""
    if args.oras or args.regctl:
        run(args.multiarch, "import", args.amd64, "--to", f"oci:{work}/layout", "-q", "--no-cache")
    if args.skopeo:
        tags = []
        for number, archive in enumerate(archives(args.amd64)):
            with open(f"{work}/archive-{number}.tar", "wb") as f:
                shutil.copyfileobj(archive, f, 1 << 20)
            with tarfile.open(f"{work}/archive-{number}.tar") as images:
                tags.append([tag for image in json.load(images.extractfile("manifest.json")) for tag in image["RepoTags"]])
        with open(f"{work}/archives.json", "w") as f:
            json.dump(tags, f)
    if args.plain:
        run("sh", "-c", f"pigz -dc {args.amd64} > {work}/{os.path.basename(args.amd64).removesuffix('.gz')}")


with tempfile.TemporaryDirectory(dir=args.work) as work:
    blobs = {arch: f"{work}/blobs-{arch}" for arch in ("amd64", "arm64")}
    for arch, folder in blobs.items():
        os.mkdir(folder)
        extract(getattr(args, arch), folder)
    # The second architecture's floor: what the first did not bring.
    for name in os.listdir(blobs["arm64"]):
        if os.path.exists(f"{blobs['amd64']}/{name}"):
            os.remove(f"{blobs['arm64']}/{name}")
    prepare(work)
    keep = {"XDG_CACHE_HOME": f"{work}/cache"}
    # What is measured, by the words that stand before it; an older one has an index cache of its own.
    binaries = {"": args.multiarch, **({"before: ": args.before} if args.before else {})}

    def use(binary):
        keep["XDG_CACHE_HOME"] = f"{work}/cache-{list(binaries.values()).index(binary)}"
        return binary

    def ours(*packages, to, cached, binary=args.multiarch):
        run(use(binary), "import", *packages, "--to", f"docker://{to.address}", "-q", *([] if cached else ["--no-cache"]), environment=keep)

    for _ in range(args.rounds):
        measure("pigz", lambda: run("sh", "-c", f"pigz -dc {args.amd64} >/dev/null"))
        measure("index", lambda: run(args.multiarch, "inspect", args.amd64, "-q", "--no-cache"))
        for program in args.registry:
            kind = os.path.basename(program)
            with started(program, work) as registry:
                measure(f"{kind} floor", lambda: put_all(registry, blobs["amd64"]))
                measure(f"{kind} floor of the second", lambda: put_all(registry, blobs["arm64"]))
            for which, binary in binaries.items():
                with started(program, work) as registry:
                    measure(f"{kind} {which}first", lambda: ours(args.amd64, to=registry, cached=False, binary=binary))
                    measure(f"{kind} {which}second", lambda: ours(args.arm64, to=registry, cached=False, binary=binary))
                    run(use(binary), "inspect", args.amd64, args.arm64, "-q", environment=keep)
                    measure(f"{kind} {which}rerun, kept index", lambda: ours(args.amd64, args.arm64, to=registry, cached=True, binary=binary))
                with started(program, work) as registry:
                    measure(f"{kind} {which}first, kept index", lambda: ours(args.amd64, to=registry, cached=True, binary=binary))
                    measure(f"{kind} {which}second, kept index", lambda: ours(args.arm64, to=registry, cached=True, binary=binary))
            if args.plain:
                with started(program, work) as registry:
                    plain = f"{work}/{os.path.basename(args.amd64).removesuffix('.gz')}"
                    measure(f"{kind} first, plain tar", lambda: ours(plain, to=registry, cached=False))
            for tool in ("oras", "regctl", "skopeo"):
                if getattr(args, tool):
                    with started(program, work) as registry:
                        measure(f"{kind} {tool} x4", lambda: peer(tool, registry, work))

medians = {name: statistics.median(values["seconds"]) for name, values in results.items()}
print("\nmedians of", args.rounds)
for name, median in medians.items():
    cpu = statistics.median(results[name]["client_cpu"])
    ratio = ""
    kind = name.split(" ")[0]
    if f"{kind} floor" in medians:
        floor = medians[f"{kind} floor of the second" if "second" in name else f"{kind} floor"]
        ratio = f"  {median / floor:.2f} x floor"
        if name in (f"{kind} first", f"{kind} second"):
            ratio += f", {(median - medians['index']) / floor:.2f} x floor without the index pass"
        if name.startswith((f"{kind} first", f"{kind} second")):
            peers = [medians[f"{kind} {tool} x4"] for tool in ("oras", "regctl", "skopeo") if f"{kind} {tool} x4" in medians]
            ratio += f", {median / min(peers):.2f} x the fastest peer" if peers and "first" in name else ""
            # Fusing by the incumbent's script took 8.5 times the floor.
            ratio += f", {median / floor / 8.5:.2f} x the incumbent's script" if "second" in name else ""
        if f"{kind} before: {name.removeprefix(kind + ' ')}" in medians:
            before = f"{kind} before: {name.removeprefix(kind + ' ')}"
            cpu_before = statistics.median(results[before]["client_cpu"])
            ratio += f", {median / medians[before]:.2f} x before in time and {cpu / max(cpu_before, 0.01):.2f} x in CPU"
    elif name == "index":
        ratio = f"  {median / medians['pigz']:.2f} x pigz"
    print(f"{name:40} {median:7.2f} s  {cpu:6.2f} s of client CPU{ratio}")
if args.out:
    versions = {p: subprocess.run([p, "--version"], capture_output=True, text=True).stdout.strip().splitlines()[:1] for p in [args.multiarch, *args.registry]}
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "kernel": platform.release()}
    with open("/proc/cpuinfo") as f:
        machine["model"] = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "")
    sizes = {"amd64": os.path.getsize(args.amd64), "arm64": os.path.getsize(args.arm64)}
    with open(args.out, "w") as f:
        json.dump({"command": [os.path.basename(a) for a in sys.argv], "machine": machine, "versions": {os.path.basename(p): v for p, v in versions.items()}, "bytes": sizes, "medians": medians, "raw": results}, f, indent=1)
        f.write("\n")
