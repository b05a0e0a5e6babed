"""What the comparisons share: registries, and counting what was checked."""
import json, os, re, shutil, socket, subprocess, sys, tempfile, time, urllib.request

ACCEPT = ", ".join(
    "application/vnd." + name
    for name in (
        "oci.image.index.v1+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "docker.distribution.manifest.v2+json",
    )
)
def share(source, copy):
    """Copies a file of a registry; blobs never change."""
    (os.link if source.endswith("/data") else shutil.copyfile)(source, copy)


count = 0


def check(condition, message):
    global count
    count += 1
    if not condition:
        sys.exit(f"FAILED: {message}")


def roomy_folder():
    """Many copies of registries are made; in memory that takes a third of the time."""
    fast = "/dev/shm"
    roomy = os.path.isdir(fast) and shutil.disk_usage(fast).free > 4 << 30
    return tempfile.TemporaryDirectory(dir=fast if roomy else None)


class Registry:
    def __init__(self, program, work, like=None, quiet=False):
        """`like`: another one, whose data is copied. `quiet`: requests are not logged."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % s.getsockname()[1]
        self.folder = folder = tempfile.mkdtemp(dir=work)
        if like:
            shutil.copytree(f"{like.folder}/data", f"{folder}/data", copy_function=share)
        with open(f"{folder}/config.yml", "w") as f:
            logging = "log: {level: error, accesslog: {disabled: true}}\n" if quiet else ""
            f.write(f"version: 0.1\n{logging}storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{self.address}'}}\n")
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

    def architecture(self, name):
        repository, tag = name.rsplit(":", 1)
        manifest = self.get(f"{repository}/manifests/{tag}")[1]
        return self.get(f"{repository}/blobs/{manifest['config']['digest']}")[1]["architecture"]

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
