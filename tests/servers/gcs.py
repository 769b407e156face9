"""fake-gcs-server, which asks for no credentials."""
import http.client
import json
import os
import ssl
import urllib.parse

from .process import Server, cache, missing, versions


class FakeGcs(Server):
    # In memory: on disk names are files, with what that forbids.
    name = "fake-gcs"
    bucket = "walrig-tests"

    def __init__(self, tls=None, kind="good", port=None):
        super().__init__(port)
        self.tls, self.kind = tls, kind

    def _url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def command(self):
        program = os.path.join(cache(), f"bin/fake-gcs-server-{versions()['FAKE_GCS_VERSION']}")
        if not os.access(program, os.X_OK):
            missing("fake-gcs-server", "not installed (tests/servers/install.sh)")
        certificate = []
        if self.tls:
            crt, key = self.tls.certificate(self.kind)
            certificate = ["-cert-location", crt, "-private-key-location", key]
        return [program, "-scheme", "https" if self.tls else "http", "-host", "127.0.0.1", "-port", str(self.port), "-backend", "memory",
                "-public-host", f"127.0.0.1:{self.port}",
                "-external-url", self._url(), "-log-level", "warn", *certificate]

    def request(self, method, path, body=None):
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=json.dumps(body) if body is not None else None, headers={"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ready(self):
        return self.request("GET", "/_internal/healthcheck")[0] == 200

    def set_up(self):
        self.url = self._url()
        status, body = self.request("POST", "/storage/v1/b?project=tests", {"name": self.bucket})
        if status != 200:
            raise RuntimeError(f"{self.name}: cannot make a bucket: {status} {body[:500]}")
        self.env = {"WALG_GS_PREFIX": f"gs://{self.bucket}/walrig", "WALG_GS_ENDPOINT": self.url, "STORAGE_EMULATOR_HOST": self.url}
        if self.tls:
            self.env["WALG_GS_CA_CERT_FILE"] = self.tls.ca

    def keys(self, prefix=""):
        found, token = [], ""
        while True:
            query = urllib.parse.urlencode({"prefix": prefix, "pageToken": token})
            status, body = self.request("GET", f"/storage/v1/b/{self.bucket}/o?{query}")
            if status != 200:
                raise RuntimeError(f"list: {status} {body[:300]}")
            page = json.loads(body)
            found += [item["name"] for item in page.get("items") or []]
            token = page.get("nextPageToken")
            if not token:
                return found
