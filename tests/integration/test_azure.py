"""The credentials of the storage azure: keys and signatures against Azurite, identities against a scripted service."""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import servers  # noqa: E402
from servers.azure import ACCOUNT, KEY  # noqa: E402

BUILD = os.environ.get("WALRIG_BUILD", os.path.join(os.path.dirname(__file__), "../../build/developer"))
WALRIG = os.path.join(BUILD, "bin/walrig")
PLUGIN = os.path.join(BUILD, "lib/walrig/plugins-1/storage-azure.so")


def walrig(env, *arguments):
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "WALRIG_PLUGIN_TRUST": "any", "WALG_LOG_LEVEL": "DEVEL",
            "WALRIG_RETRY_INITIAL": "10ms", "WALRIG_RETRY_ATTEMPTS": "3", "no_proxy": "*"}
    done = subprocess.run([WALRIG, *arguments], env={**base, **env}, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def account_sas(key, until):
    permissions, services, kinds, protocols, version = "rwdlac", "b", "sco", "https,http", "2020-12-06"
    expires = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    to_sign = "\n".join([ACCOUNT, permissions, services, kinds, "", expires, "", protocols, version, "", ""])
    signature = base64.b64encode(hmac.new(base64.b64decode(key), to_sign.encode(), hashlib.sha256).digest()).decode()
    return urllib.parse.urlencode({"sv": version, "ss": services, "srt": kinds, "sp": permissions, "se": expires,
                                   "spr": protocols, "sig": signature})


def in_hours(hours):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)


class KeysAndSignatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = servers.azurite().start()
        cls.addClassCleanup(cls.server.stop)
        cls.endpoint = cls.server.env["AZURE_ENDPOINT"]
        cls.prefix = {"WALG_AZ_PREFIX": f"azure://{cls.server.container}/kit"}

    def check(self, env):
        code, said = walrig({**self.prefix, **env}, "plugin", "check", PLUGIN, "--filter",
                            "round_trips|copy_copies|delete_takes|every_key_is|etag_guards|put_if_absent")
        self.assertEqual(code, 0, said)
        self.assertIn("0 failed", said)
        self.assertNotIn(KEY, said)

    def test_a_shared_key(self):
        self.check({"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_ACCESS_KEY": KEY, "AZURE_ENDPOINT": self.endpoint})

    def test_md5_and_an_old_version_of_the_interface(self):
        self.check({"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_ACCESS_KEY": KEY, "AZURE_ENDPOINT": self.endpoint,
                    "WALRIG_AZURE_UPLOAD_CHECK": "md5", "AZURE_BLOB_STORE_API_VERSION": "2018-03-28",
                    "AZURE_BUFFER_SIZE": "100000", "WALRIG_AZURE_TIER": "Cool"})

    def test_a_signature(self):
        sas = account_sas(KEY, in_hours(1))
        for mark in ("", "?"):
            self.check({"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_SAS_TOKEN": mark + sas, "AZURE_ENDPOINT": self.endpoint})

    def test_connection_strings(self):
        sas = account_sas(KEY, in_hours(1))
        for text in (f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.endpoint};",
                     f"BlobEndpoint={self.endpoint};SharedAccessSignature={sas}"):
            self.check({"AZURE_STORAGE_CONNECTION_STRING": text})

    def test_an_upload_whose_removal_broke_off_is_still_one(self):
        good = {**self.prefix, "AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_ACCESS_KEY": KEY, "AZURE_ENDPOINT": self.endpoint}
        # What a removal leaves that is killed before its last request; and an empty object of somebody.
        for name, mark in (("left", {"x-ms-meta-walrig_dropped": "1"}), ("empty", {})):
            status, said = self.server.request("PUT", f"{self.server.container}/kit/{name}", more={"x-ms-blob-type": "BlockBlob", **mark})
            self.assertEqual(status, 201, said)
        code, said = walrig(good, "st", "check", "read")
        self.assertIn("left", said)
        self.assertNotIn("empty", said)
        code, said = walrig(good, "st", "rm", "--unfinished", "", "--older-than", "0s", "--confirm")
        self.assertEqual(code, 0, said)
        self.assertEqual([key for key in self.server.keys("kit/") if key in ("kit/left", "kit/empty")], ["kit/empty"])

    def test_refusals_say_what_is_wrong_and_no_secret(self):
        good = {**self.prefix, "AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_ENDPOINT": self.endpoint}
        other = base64.b64encode(b"another key").decode()
        old = account_sas(KEY, in_hours(-1))
        for env, words in (({**good, "AZURE_STORAGE_ACCESS_KEY": other}, "check the key"),
                           ({**good, "AZURE_STORAGE_ACCESS_KEY": "not base64!"}, "not base64"),
                           ({**good, "AZURE_STORAGE_SAS_TOKEN": old}, "Auth"),
                           ({**good, "AZURE_STORAGE_ACCESS_KEY": KEY, "WALG_AZ_PREFIX": "azure://nothing-here/x"}, "create the container")):
            code, said = walrig(env, "backup-list")
            self.assertNotEqual(code, 0, said)
            self.assertIn(words, said)
            for secret in (KEY, other, old, "not base64!", urllib.parse.parse_qs(old)["sig"][0]):
                self.assertNotIn(secret, said)

    def test_a_signature_does_not_travel_in_clear_text(self):
        code, said = walrig({**self.prefix, "AZURE_STORAGE_ACCOUNT": "acme", "AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=S3cret",
                             "AZURE_ENDPOINT": "http://192.0.2.1/acme"}, "backup-list")
        self.assertNotEqual(code, 0)
        self.assertIn("clear text", said)
        self.assertNotIn("S3cret", said)


class Handler(http.server.BaseHTTPRequestHandler):
    """Every token endpoint, and a container that is empty. Tokens are "T1", "T2", ...; the service refuses those in `refused`."""

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def token(self, **more):
        self.server.issued += 1
        self.answer(200, json.dumps({"access_token": f"T{self.server.issued}-S3cret", "token_type": "Bearer", **more}).encode())

    def do_GET(self):
        path, _, query = self.path.partition("?")
        query = urllib.parse.parse_qs(query)
        self.server.seen.append((path, dict(self.headers), query, ""))
        if path == "/metadata/identity/oauth2/token" and self.headers["Metadata"] == "true":
            return self.token(expires_in=str(self.server.lives_s), expires_on="1")
        if path == "/msi/token" and self.headers["X-IDENTITY-HEADER"] == "pr00f":
            return self.token(expires_on=str(int(in_hours(1).timestamp())))
        if path == "/acme/con" and query.get("comp") == ["list"]:
            bearer = (self.headers["Authorization"] or "").removeprefix("Bearer ")
            if not bearer.startswith("T") or bearer.split("-")[0] in self.server.refused:
                return self.answer(401, b"", x_ms_error_code="InvalidAuthenticationInfo")
            return self.answer(200, b'<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>')
        return self.answer(404, b"", x_ms_error_code="BlobNotFound")

    def do_HEAD(self):
        self.answer(404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append((self.path, dict(self.headers), {}, body))
        form = urllib.parse.parse_qs(body)
        if self.path == "/tenant-1/oauth2/v2.0/token" and form["scope"] == ["https://storage.azure.com/.default"]:
            if form.get("client_assertion") == ["cluster.token"] or form.get("client_secret") == ["app secret"]:
                return self.token(expires_in=3599)
        return self.answer(401, b'{"error":"invalid_client","error_description":"AADSTS7000215: no"}')

    def log_message(self, *_):
        pass


class Identities(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.issued, self.server.seen, self.server.refused, self.server.lives_s = 0, [], set(), 3599
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.env = {"WALG_AZ_PREFIX": "azure://con/x", "AZURE_STORAGE_ACCOUNT": "acme", "AZURE_ENDPOINT": f"{self.url}/acme"}

    def run_list(self, **env):
        code, said = walrig({**self.env, **env}, "backup-list")
        self.assertNotIn("S3cret", said)
        return code, said

    def test_the_identity_of_a_machine(self):
        code, said = self.run_list(AZURE_POD_IDENTITY_AUTHORITY_HOST=self.url, AZURE_CLIENT_ID="me")
        self.assertEqual(code, 0, said)
        _, _, query, _ = self.server.seen[0]
        self.assertEqual(query["resource"], ["https://storage.azure.com/"])
        self.assertEqual(query["client_id"], ["me"])
        self.assertEqual(self.server.issued, 1)

    def test_a_refused_token_is_fetched_anew_once(self):
        self.server.refused = {"T1"}
        code, said = self.run_list(AZURE_POD_IDENTITY_AUTHORITY_HOST=self.url)
        self.assertEqual(code, 0, said)
        self.assertEqual(self.server.issued, 2)
        self.server.refused = {f"T{i}" for i in range(100)}
        before = self.server.issued
        code, said = self.run_list(AZURE_POD_IDENTITY_AUTHORITY_HOST=self.url)
        self.assertNotEqual(code, 0, said)
        self.assertEqual(self.server.issued, before + 2)

    def test_the_identity_of_app_service(self):
        code, said = self.run_list(IDENTITY_ENDPOINT=f"{self.url}/msi/token", IDENTITY_HEADER="pr00f")
        self.assertEqual(code, 0, said)
        self.assertNotIn("pr00f", said)

    def test_workload_identity_and_client_secret(self):
        app = {"AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "me", "AZURE_AUTHORITY_HOST": self.url + "/"}
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("cluster.token\n")
            file.flush()
            code, said = self.run_list(**app, AZURE_FEDERATED_TOKEN_FILE=file.name)
        self.assertEqual(code, 0, said)
        self.assertNotIn("cluster.token", said)
        code, said = self.run_list(**app, AZURE_CLIENT_SECRET="app secret")
        self.assertEqual(code, 0, said)
        code, said = self.run_list(**app, AZURE_CLIENT_SECRET="wr0ng")
        self.assertNotEqual(code, 0)
        self.assertIn("AADSTS7000215", said)
        self.assertNotIn("wr0ng", said)
        code, said = self.run_list(**app, AZURE_FEDERATED_TOKEN_FILE="/nonexistent")
        self.assertIn("AZURE_FEDERATED_TOKEN_FILE", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
