"""The storage gcs: every kind of credentials against scripted token endpoints, and uploads through a server that breaks them."""
import base64
import http.client
import http.server
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import servers  # noqa: E402

BUILD = os.environ.get("WALRIG_BUILD", os.path.join(os.path.dirname(__file__), "../../build/developer"))
WALRIG = os.path.join(BUILD, "bin/walrig")


def walrig(env, *arguments):
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "WALRIG_PLUGIN_TRUST": "any", "WALG_LOG_LEVEL": "DEVEL",
            "WALRIG_RETRY_INITIAL": "10ms", "WALRIG_RETRY_ATTEMPTS": "4", "no_proxy": "*"}
    done = subprocess.run([WALRIG, *arguments], env={**base, **env}, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


class Scripted(http.server.BaseHTTPRequestHandler):
    """Token endpoints and an empty bucket, which takes only the token that was given out last."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, document, **headers):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give(self, name):
        self.server.token = f"token-{name}-{len(self.server.asked)}"
        return self.server.token

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.asked.append((self.path, body, dict(self.headers)))
        if self.path == "/token":
            form = dict(urllib.parse.parse_qsl(body))
            if form.get("refresh_token") == "revoked-secret":
                return self.answer(400, {"error": "invalid_grant", "error_description": "revoked"})
            return self.answer(200, {"access_token": self.give("t"), "expires_in": 3600})
        if self.path == "/impersonate":
            if self.headers["Authorization"] != f"Bearer {self.server.token}":
                return self.answer(403, {"error": {"message": "who are you", "status": "PERMISSION_DENIED"}})
            return self.answer(200, {"accessToken": self.give("i"), "expireTime": "2099-01-01T00:00:00Z"})
        return self.answer(404, {})

    def do_GET(self):
        self.server.asked.append((self.path, "", dict(self.headers)))
        if self.path.startswith("/computeMetadata/"):
            if self.headers.get("Metadata-Flavor") != "Google":
                return self.answer(403, {})
            return self.answer(200, {"access_token": self.give("m"), "expires_in": 3600})
        if self.path == "/subject":
            return self.answer(200, {"value": "subject-secret"})
        if self.server.refuse > 0:
            self.server.refuse -= 1
            return self.answer(401, {"error": {"message": "expired"}})
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self.answer(403, {"error": {"message": "wrong token"}})
        return self.answer(200, {"kind": "storage#objects"})


class Credentials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.dir.cleanup)
        cls.key = os.path.join(cls.dir.name, "key.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", cls.key], check=True, capture_output=True)

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
        self.server.token, self.server.asked, self.server.refuse = None, [], 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.env = {"WALG_GS_PREFIX": "gs://bucket/x", "WALG_GS_ENDPOINT": self.url}

    def file(self, document):
        path = os.path.join(self.dir.name, "credentials.json")
        with open(path, "w") as f:
            json.dump(document, f)
        return {"GOOGLE_APPLICATION_CREDENTIALS": path}

    def listed(self, env, secrets=()):
        code, said = walrig({**self.env, **env}, "backup-list")
        self.assertEqual(code, 0, said)
        for secret in (*secrets, self.server.token):
            self.assertNotIn(secret, said)
        return said

    def paths(self):
        return [urllib.parse.urlsplit(path).path for path, _, _ in self.server.asked]

    def service(self):
        with open(self.key) as f:
            key = f.read()
        return {"type": "service_account", "client_email": "me@p", "private_key_id": "k", "private_key": key, "token_uri": self.url + "/token"}

    def test_a_service_account_signs_for_its_token(self):
        self.listed(self.file(self.service()), [self.service()["private_key"].split("\n")[1]])
        form = dict(urllib.parse.parse_qsl(self.server.asked[0][1]))
        self.assertEqual(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer")
        head, body, _ = form["assertion"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        self.assertEqual((claims["iss"], claims["aud"]), ("me@p", self.url + "/token"))
        self.assertEqual(self.paths().count("/token"), 1)

    def test_a_user_refreshes(self):
        user = {"type": "authorized_user", "client_id": "c", "client_secret": "client-secret", "refresh_token": "refresh-secret"}
        self.listed(self.file({**user, "token_uri": self.url + "/token"}), ["client-secret", "refresh-secret"])

    def test_a_workload_exchanges_and_impersonates(self):
        subject = os.path.join(self.dir.name, "subject")
        with open(subject, "w") as f:
            f.write("subject-secret\n")
        for source in ({"file": subject}, {"url": self.url + "/subject", "format": {"type": "json", "subject_token_field_name": "value"}}):
            self.server.asked.clear()
            self.listed(self.file({"type": "external_account", "audience": "//iam/pool", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                                   "token_url": self.url + "/token", "service_account_impersonation_url": self.url + "/impersonate",
                                   "credential_source": source}), ["subject-secret"])
            form = [dict(urllib.parse.parse_qsl(body)) for path, body, _ in self.server.asked if path == "/token"][0]
            self.assertEqual((form["subject_token"], form["audience"]), ("subject-secret", "//iam/pool"))
            self.assertIn("/impersonate", self.paths())

    def test_another_account_is_impersonated(self):
        self.listed(self.file({"type": "impersonated_service_account", "service_account_impersonation_url": self.url + "/impersonate",
                               "source_credentials": self.service()}))
        self.assertEqual(self.paths()[:2], ["/token", "/impersonate"])

    def test_without_a_file_the_machine_is_asked(self):
        self.listed({"GCE_METADATA_HOST": f"127.0.0.1:{self.server.server_port}"})
        self.assertTrue(self.paths()[0].startswith("/computeMetadata/"))

    def test_gclouds_own_file_is_found(self):
        folder = os.path.join(self.dir.name, "gcloud")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "application_default_credentials.json"), "w") as f:
            json.dump(self.service(), f)
        self.listed({"CLOUDSDK_CONFIG": folder})

    def test_an_emulator_gets_no_credentials(self):
        self.server.token = "none"
        walrig({"WALG_GS_PREFIX": "gs://bucket/x", "STORAGE_EMULATOR_HOST": self.url}, "backup-list")
        self.assertTrue(self.server.asked)
        self.assertFalse([1 for _, _, headers in self.server.asked if "Authorization" in headers])

    def test_a_token_that_ended_early_is_fetched_anew(self):
        self.server.refuse = 1
        self.listed(self.file(self.service()))
        self.assertEqual(self.paths().count("/token"), 2)

    def test_refusals_are_told_without_secrets(self):
        code, said = walrig({**self.env, **self.file({"type": "authorized_user", "client_id": "c", "client_secret": "client-secret",
                                                      "refresh_token": "revoked-secret", "token_uri": self.url + "/token"})}, "backup-list")
        self.assertNotEqual(code, 0)
        self.assertIn("invalid_grant", said)
        self.assertNotIn("revoked-secret", said)
        code, said = walrig({"WALG_GS_PREFIX": "gs://bucket/x", "WALG_GS_ENDPOINT": "http://192.0.2.1", **self.file(self.service())}, "backup-list")
        self.assertNotEqual(code, 0)
        self.assertIn("plain http", said)


class Breaking(http.server.BaseHTTPRequestHandler):
    """Passes on to fake-gcs, but the n-th upload request gets a 503 after its body: a piece that may have arrived.

    Resumable sessions are its own: fake-gcs takes the question how far one is for its end.
    """
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def session(self, body):
        """(status, headers, answer) of a request to a session, or None when it is none."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        if query.get("uploadType") == "resumable" and self.command == "POST":
            self.server.sessions[str(len(self.server.sessions))] = [query["name"], b""]
            return 200, [("Location", f"http://elsewhere.example/upload/session?upload_id={len(self.server.sessions) - 1}")], b""
        if "upload_id" not in query:
            return None
        session = self.server.sessions[query["upload_id"]]
        span, total = self.headers["Content-Range"].removeprefix("bytes ").split("/")
        if span != "*":
            begin, end = map(int, span.split("-"))
            if begin != len(session[1]) or end - begin + 1 != len(body):
                return 400, [], b"a hole or a byte twice"
            session[1] += body
        if total == "*" or int(total) != len(session[1]):
            return 308, [("Range", f"bytes=0-{len(session[1]) - 1}")] if session[1] else [], b""
        there = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        there.request("POST", "/upload/storage/v1/b/walrig-tests/o?uploadType=media&name=" + urllib.parse.quote(session[0], ""), session[1])
        got = there.getresponse()
        answer = got.read()
        there.close()
        return got.status, [("Content-Type", "application/json")], answer

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upload = self.path.startswith("/upload/") and self.command in ("PUT", "POST")
        with self.server.lock:
            self.server.uploads += upload
            self.server.sent += len(body) if upload else 0
            broken = upload and self.server.uploads in self.server.break_at
        if broken and not self.server.effect:
            status, headers, answer = 503, [], b"{}"
        elif (own := self.session(body)) is not None:
            status, headers, answer = (503, [], b"{}") if broken else own
        else:
            there = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
            there.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "host"})
            got = there.getresponse()
            status, headers, answer = got.status, got.getheaders(), got.read()
            there.close()
            if broken:
                status, headers, answer = 503, [], b"{}"
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = any


class NoBucket(unittest.TestCase):
    def test_a_missing_bucket_is_no_missing_object(self):
        with servers.fake_gcs() as gcs:
            for bucket, absent in (("no-such-bucket", False), (gcs.bucket, True)):
                storage = f"gcs,prefix=gs://{bucket}/x,emulator=http://127.0.0.1:{gcs.port}"
                for words in (("stat", "a"), ("cat", "a")):
                    code, said = walrig({"WALRIG_STORAGE": storage}, "st", *words)
                    self.assertEqual(code, 1, said)
                    self.assertEqual("bucket no-such-bucket does not exist" in said, not absent, said)


class BrokenUploads(unittest.TestCase):
    SIZE = 16 << 20

    def push(self, parallel, break_at, effect):
        with servers.fake_gcs() as gcs, tempfile.TemporaryDirectory() as folder:
            proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
            proxy.upstream, proxy.uploads, proxy.sent, proxy.lock = gcs.port, 0, 0, threading.Lock()
            proxy.break_at, proxy.effect, proxy.sessions = set(break_at), effect, {}
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            self.addCleanup(proxy.server_close)
            self.addCleanup(proxy.shutdown)
            name = "000000010000000000000001"
            # The long header of a first page of PostgreSQL 15; what follows is not looked at.
            head = struct.pack("<HHIQIIQII", 0xD110, 2, 1, self.SIZE, 0, 0, 42, self.SIZE, 8192)
            content = head + random.Random(7).randbytes(self.SIZE - len(head))
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)
            storage = f"gcs,prefix=gs://{gcs.bucket}/x,emulator=http://127.0.0.1:{proxy.server_port},parallel={parallel},chunk_size=1MiB"
            code, said = walrig({"WALG_COMPRESSION_METHOD": "none", "WALRIG_STORAGE": storage}, "wal-push", os.path.join(folder, name))
            self.assertEqual(code, 0, said)
            code, said = walrig({"WALG_COMPRESSION_METHOD": "none", "WALRIG_STORAGE": storage}, "wal-fetch", name, os.path.join(folder, "back"))
            self.assertEqual(code, 0, said)
            with open(os.path.join(folder, "back"), "rb") as f:
                self.assertEqual(f.read(), content)
            self.assertEqual([key for key in gcs.keys() if "_chunks/" in key], [])
            return proxy.sent

    def test_a_session_goes_on_after_a_lost_piece(self):
        for effect in (False, True):
            sent = self.push(1, (5, 9, 20), effect)
            self.assertLess(sent, self.SIZE + (4 << 20))

    def test_parts_go_on_after_a_lost_piece(self):
        for effect in (False, True):
            sent = self.push(4, (3, 7, 8), effect)
            self.assertLess(sent, self.SIZE + (5 << 20))


if __name__ == "__main__":
    unittest.main(verbosity=2)
