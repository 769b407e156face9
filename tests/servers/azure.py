"""Azurite, with its published account."""
import base64
import email.utils
import glob
import hashlib
import hmac
import http.client
import os
import re
import ssl
import urllib.parse

from .process import Server, cache, missing

ACCOUNT = "devstoreaccount1"
# The key that Azurite's documentation prints; every Azurite has it.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
API_VERSION = "2021-12-02"


class Azurite(Server):
    name = "azurite"
    container = "walrig-tests"

    def __init__(self, tls=None, kind="good", port=None):
        super().__init__(port)
        self.tls, self.kind = tls, kind
        self.secrets = [KEY]
        os.mkdir(os.path.join(self.dir, "data"))

    def command(self):
        found = glob.glob(os.path.join(cache(), "npm-*/node_modules/azurite/dist/src/blob/main.js"))
        if not found:
            missing("azurite", "not installed (tests/servers/install.sh)")
        certificate = []
        if self.tls:
            crt, key = self.tls.certificate(self.kind)
            certificate = ["--cert", crt, "--key", key]
        return ["node", found[-1], "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(self.port),
                "--location", os.path.join(self.dir, "data"), *certificate]

    def request(self, method, path, query=None, more=None):
        """(status, body), signed with the shared key; `path` begins with the container, headers in `more` with x-ms-."""
        target = f"/{ACCOUNT}/{urllib.parse.quote(path)}"
        headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": API_VERSION, **(more or {})}
        canonical = "".join(f"{k}:{v}\n" for k, v in sorted(headers.items())) + f"/{ACCOUNT}{target}"
        canonical += "".join(f"\n{k}:{v}" for k, v in sorted((query or {}).items()))
        to_sign = method + "\n" * 12 + canonical
        signature = base64.b64encode(hmac.new(base64.b64decode(KEY), to_sign.encode(), hashlib.sha256).digest()).decode()
        headers["authorization"] = f"SharedKey {ACCOUNT}:{signature}"
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target + ("?" + urllib.parse.urlencode(query) if query else ""), headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ready(self):
        return self.request("GET", "", {"comp": "list"})[0] == 200

    def set_up(self):
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        status, body = self.request("PUT", self.container, {"restype": "container"})
        if status != 201:
            raise RuntimeError(f"{self.name}: cannot make a container: {status} {body[:500]}")
        self.env = {"WALG_AZ_PREFIX": f"azure://{self.container}/walrig", "AZURE_STORAGE_ACCOUNT": ACCOUNT,
                    "AZURE_STORAGE_ACCESS_KEY": KEY, "AZURE_ENDPOINT": f"{self.url}/{ACCOUNT}"}
        if self.tls:
            self.env["WALRIG_AZURE_CA_FILE"] = self.tls.ca

    def uncommitted_blocks(self, key):
        status, body = self.request("GET", f"{self.container}/{key}", {"comp": "blocklist", "blocklisttype": "uncommitted"})
        if status not in (200, 404):
            raise RuntimeError(f"block list: {status} {body[:300]}")
        return len(re.findall("<Block>", body.decode())) if status == 200 else 0

    def keys(self, prefix="", include=""):
        """`include`: "uncommittedblobs" to see also what has blocks only."""
        found, marker = [], ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix,
                     **({"include": include} if include else {}), **({"marker": marker} if marker else {})}
            status, body = self.request("GET", self.container, query)
            if status != 200:
                raise RuntimeError(f"list: {status} {body[:300]}")
            text = body.decode()
            found += re.findall("<Name>([^<]*)</Name>", text)
            marker = next(iter(re.findall("<NextMarker>([^<]+)</NextMarker>", text)), "")
            if not marker:
                return found
