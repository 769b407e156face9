"""The storage s3 on MinIO: every source of credentials, and every feature that MinIO has.

STS for roles is MinIO's own. Web identities, the container's and the instance's metadata are scripted, but give out keys that
MinIO made, so that each request to S3 is judged by a real server.
"""
import base64
import json
import os
import random
import stat
import struct
import subprocess
import tempfile
import unittest

from test_storages import BUILD, PROXY, Base, servers
from servers import aws

WALRIG = os.path.join(BUILD, "bin/walrig")
FAULTS = os.path.join(BUILD, PROXY)
EXPIRED = "%3CError%3E%3CCode%3EExpiredToken%3C/Code%3E%3CMessage%3Eold%3C/Message%3E%3C/Error%3E"
SEGMENT = "000000010000000000000001"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def segment_bytes(size=16 << 20):
    # The long header of a first page of PostgreSQL 15; what follows is not looked at.
    head = struct.pack("<HHIQIIQII", 0xD110, 2, 1, size, 0, 0, 42, size, 8192)
    return head + random.Random(7).randbytes(size - len(head))


class Archive(unittest.TestCase):
    """A WAL segment goes up and comes back, by the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir, self.outputs, self.config = folder.name, [], []
        self.source = self.file(SEGMENT, segment_bytes())

    def file(self, name, content):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(content, bytes) else "w") as f:
            f.write(content)
        return path

    def walrig(self, env, *words, code=0):
        base = {"PATH": os.environ["PATH"], "HOME": self.dir, "WALRIG_PLUGIN_TRUST": "any", "WALG_LOG_LEVEL": "DEVEL", "WALG_COMPRESSION_METHOD": "none",
                "WALRIG_RETRY_INITIAL": "10ms", "WALRIG_RETRY_ATTEMPTS": "4", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
        done = subprocess.run([WALRIG, *self.config, *words], env={**base, **env}, capture_output=True, text=True, timeout=60)
        said = done.stdout + done.stderr
        self.outputs.append(said)
        if code is not None:
            self.assertEqual(done.returncode, code, said[-4000:])
        return said

    def archived(self, env, secrets=()):
        back = os.path.join(self.dir, "back")
        self.walrig(env, "wal-push", self.source)
        self.walrig(env, "wal-fetch", SEGMENT, back)
        with open(self.source, "rb") as a, open(back, "rb") as b:
            self.assertTrue(a.read() == b.read(), "other bytes came back")
        os.unlink(back)
        for secret in secrets:
            self.assertFalse([said for said in self.outputs if secret in said], "a secret was printed")


class Sources(Archive):
    @classmethod
    def setUpClass(cls):
        cls.server = servers.minio().__enter__()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        super().setUp()
        client = self.server.client()
        for key in client.keys(self.server.bucket):
            client.request("DELETE", f"{self.server.bucket}/{key}")
        self.temporary = client.temporary()
        self.env = {k: v for k, v in self.server.env.items() if k not in KEYS}

    def secrets(self):
        return [self.server.secret, self.temporary["SecretAccessKey"], self.temporary["SessionToken"]]

    def fresh(self):
        self.temporary = self.server.client().temporary()
        return self.temporary

    def scripted(self, **more):
        source = aws.Credentials(self.fresh, **more)
        self.addCleanup(source.stop)
        return source

    def profile(self, name="", session=True):
        more = f"aws_session_token = {self.temporary['SessionToken']}\n" if session else ""
        key, secret = (self.temporary["AccessKeyId"], self.temporary["SecretAccessKey"]) if session else (self.server.key, self.server.secret)
        return f"[{name or 'default'}]\naws_access_key_id={key}\naws_secret_access_key = {secret}\n{more}"

    def test_the_environment_with_a_session_token(self):
        self.archived({**self.env, "AWS_ACCESS_KEY_ID": self.temporary["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": self.temporary["SecretAccessKey"],
                       "AWS_SESSION_TOKEN": self.temporary["SessionToken"]}, self.secrets())

    def test_the_configuration_file(self):
        path = self.file("walg.json", json.dumps({**self.server.env, "WALG_COMPRESSION_METHOD": "none"}))
        os.chmod(path, stat.S_IRUSR)
        self.config = ["--config", path]
        self.archived({"AWS_PROFILE": "settings come first"}, self.secrets())

    def test_the_default_profile_below_home(self):
        self.file(".aws/credentials", self.profile())
        self.archived(self.env, self.secrets())

    def test_a_named_profile_in_named_files(self):
        files = {"AWS_SHARED_CREDENTIALS_FILE": self.file("c", "[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"),
                 "AWS_CONFIG_FILE": self.file("f", self.profile("profile other"))}
        self.archived({**self.env, **files, "AWS_PROFILE": "other"}, self.secrets())
        self.assertIn("nobody", self.walrig({**self.env, **files, "AWS_PROFILE": "nobody"}, "backup-list", code=1))

    def through(self):
        """(environment, faults before S3 and STS): whoever comes to S3 with the long-lived key is refused."""
        faults = servers.FaultProxy(FAULTS, self.server.url)
        self.addCleanup(faults.stop)
        faults.rules(f"status status=403 body=denied header=Authorization:{self.server.key}/ target=walrig-tests times=all")
        return {**self.env, "AWS_ENDPOINT": faults.url, "AWS_ENDPOINT_URL_STS": faults.url}, faults

    def test_a_profile_whose_role_is_assumed_with_another_profile(self):
        env, faults = self.through()
        self.file(".aws/credentials", self.profile("base", session=False))
        self.file(".aws/config", "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nrole_session_name = x\n")
        self.archived({**env, "AWS_PROFILE": "work"}, self.secrets())
        self.assertEqual(faults.hits(), 0)
        self.assertEqual(len([e for e in faults.exchanges() if e["method"] == "POST" and e["target"] == "/"]), 2)  # one a command
        self.assertIn("HTTP 403", self.walrig({**env, "AWS_PROFILE": "base"}, "backup-list", code=1))

    def test_a_role_that_the_settings_name(self):
        env, faults = self.through()
        self.archived({**env, **{k: self.server.env[k] for k in KEYS}, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}, self.secrets())
        self.assertEqual(faults.hits(), 0)

    def test_a_web_identity(self):
        source = self.scripted()
        token = self.file("token", "web-identity-token-77\n")
        self.archived({**self.env, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_ROLE_SESSION_NAME": "me",
                       "AWS_ENDPOINT_URL_STS": source.url}, [*self.secrets(), "web-identity-token-77"])
        self.assertEqual(source.forms[0], {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/r",
                                           "RoleSessionName": "me", "WebIdentityToken": "web-identity-token-77"})

    def test_a_containers_endpoint_with_a_token_from_a_file(self):
        source = self.scripted()
        env = {**self.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": source.url + source.CONTAINER}
        self.archived({**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.file("token", source.container_token + "\n")}, [*self.secrets(), source.container_token])
        self.archived({**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": source.container_token}, [*self.secrets(), source.container_token])
        self.assertEqual(source.refused, 0)
        self.assertIn("cannot be read", self.walrig({**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent"}, "backup-list", code=1))
        for host in ("http://192.0.2.1", "http://127.0.0.1.example.com"):
            self.assertIn("neither https nor local", self.walrig({**self.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": host}, "backup-list", code=1))

    def test_a_container_that_refuses_does_not_lead_to_the_instance(self):
        source = self.scripted()
        self.walrig({**self.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": source.url + "/nothing", "AWS_EC2_METADATA_SERVICE_ENDPOINT": source.url},
                    "backup-list", code=1)
        self.assertEqual(source.given, [])

    def test_the_instances_metadata(self):
        source = self.scripted()
        self.archived({**self.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT": source.url, "http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"},
                      [*self.secrets(), "metadata-token-8c7b"])
        self.assertEqual((source.refused, len(source.given)), (0, 2))
        said = self.walrig({**self.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT": source.url, "AWS_EC2_METADATA_DISABLED": "true"}, "backup-list", code=1)
        self.assertIn("no credentials for S3", said)

    def test_a_process_prints_them(self):
        keys = json.dumps({"Version": 1, **self.temporary})
        self.file(".aws/config", f"[profile p]\ncredential_process = cat {self.file('printed', keys)}\n")
        self.archived({**self.env, "AWS_PROFILE": "p"}, self.secrets())

    def test_short_lived_ones_are_renewed_while_an_upload_goes_on(self):
        source = self.scripted(seconds=12)  # ten seconds before the end they count as ended
        self.walrig({**self.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT": source.url, "WALG_NETWORK_RATE_LIMIT": str(4 << 20),
                     "S3_MAX_PART_SIZE": str(5 << 20)}, "wal-push", self.source)
        self.assertGreaterEqual(len(set(source.given)), 2)
        self.assertLess(len(source.given), 6)

    def test_nothing_at_all_is_said_in_words(self):
        self.assertIn("no credentials for S3", self.walrig(self.env, "backup-list", code=1))


class Features(Archive):
    def secret_free(self, server):
        return [server.secret]

    def test_virtual_hosts(self):
        with servers.minio(more={"MINIO_DOMAIN": "s3.localhost"}) as server:
            faults = servers.FaultProxy(FAULTS, server.url)
            self.addCleanup(faults.stop)
            self.archived({**server.env, "AWS_ENDPOINT": f"http://s3.localhost:{faults.port}", "AWS_S3_FORCE_PATH_STYLE": "false"})
            self.assertTrue(server.client().keys(server.bucket))
            self.assertFalse([e["target"] for e in faults.exchanges() if e["target"].startswith("/" + server.bucket)])

    def test_as_on_aws_with_region_discovery_and_sts(self):
        domain = "s3.eu-central-1.amazonaws.com"
        authority = servers.Authority(os.path.join(self.dir, "ca"), ["*." + domain, "s3.us-east-1.amazonaws.com", "sts.eu-central-1.amazonaws.com"])
        with servers.minio(tls=authority, region="eu-central-1", more={"MINIO_DOMAIN": domain}) as server, aws.HostProxy(server.port) as proxy:
            env = {**{k: server.env[k] for k in ("WALG_S3_PREFIX", "S3_CA_CERT_FILE", *KEYS)}, "https_proxy": proxy.url}
            self.archived(env, self.secret_free(server))
            self.assertEqual(set(proxy.hosts), {"s3.us-east-1.amazonaws.com:443", f"{server.bucket}.{domain}:443"})
            self.archived({**env, "AWS_REGION": "eu-central-1", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}, self.secret_free(server))
            self.assertIn("sts.eu-central-1.amazonaws.com:443", proxy.hosts)
            self.assertIn("create the bucket", self.walrig({**env, "WALG_S3_PREFIX": "s3://no-such-bucket/x", "AWS_REGION": "eu-central-1"}, "backup-list", code=1))

    def test_a_server_of_another_region_is_believed(self):
        with servers.minio(region="eu-west-9") as server:
            self.archived({k: v for k, v in server.env.items() if k != "AWS_REGION"})

    def head(self, server, key, **headers):
        import http.client
        client = server.client()
        return client.request("GET", f"{server.bucket}/{key}", headers=headers)

    def test_encryption_with_the_servers_keys(self):
        kms = {"MINIO_KMS_SECRET_KEY": "walrig-key:" + base64.b64encode(b"k" * 32).decode()}
        with servers.minio(more=kms) as server:
            for settings in ({"S3_SSE": "AES256"}, {"S3_SSE": "aws:kms", "S3_SSE_KMS_ID": "walrig-key"}):
                for part in ({}, {"S3_MAX_PART_SIZE": "5242880", "WALRIG_MEMORY_BUDGET": None}):
                    with self.subTest(**settings, **part):
                        self.archived({**server.env, **settings, **{k: v for k, v in part.items() if v}})
            with open(self.source, "rb") as f:
                piece = f.read()[8000000:8000064]
            for where, _, names in os.walk(os.path.join(server.data, server.bucket)):
                for name in names:
                    with open(os.path.join(where, name), "rb") as f:
                        self.assertNotIn(piece, f.read(), "the server keeps the bytes in the clear")

    def test_encryption_with_a_key_of_ours(self):
        authority = servers.Authority(os.path.join(self.dir, "ca"))
        with servers.minio(tls=authority) as server:
            key = base64.b64encode(b"0123456789abcdef0123456789ABCDEF").decode()
            self.archived({**server.env, "S3_SSE_C": key, "S3_SSE": "AES256"}, [key])
            back = os.path.join(self.dir, "back")
            self.walrig(server.env, "wal-fetch", SEGMENT, back, code=126)
            self.walrig({**server.env, "S3_SSE_C": base64.b64encode(b"x" * 32).decode()}, "wal-fetch", SEGMENT, back, code=126)
            self.assertFalse(os.path.exists(back))

    def test_tags_and_the_old_list(self):
        with servers.minio() as server:
            env = {k: v for k, v in server.env.items() if k != "WALG_S3_PREFIX"}
            storage = f"s3,prefix={server.env['WALG_S3_PREFIX']},tags=team=a%20b&kind=wal"
            self.archived({**env, "WALRIG_STORAGE": storage})
            client = server.client()
            key, = (key for key in client.keys(server.bucket) if not key.endswith("walrig.archive"))
            status, text = client.request("GET", f"{server.bucket}/{key}", {"tagging": ""})
            self.assertEqual((status, text.count(b"<Tag>")), (200, 2))
            self.assertIn(b"<Key>team</Key><Value>a b</Value>", text)
            faults = servers.FaultProxy(FAULTS, server.url)
            self.addCleanup(faults.stop)
            for i in range(2100):
                self.assertEqual(client.request("PUT", f"{server.bucket}/walrig/many/{i:05}")[0], 200)
            for old, target in (("true", "marker="), ("false", "continuation-token=")):
                faults.rules()
                said = self.walrig({**server.env, "AWS_ENDPOINT": faults.url, "S3_USE_LIST_OBJECTS_V1": old, "WALG_LOG_LEVEL": "NORMAL"}, "st", "ls", "-r", "many")
                self.assertEqual(len({word for word in said.split() if word.rstrip(",").rsplit("/", 1)[-1].isdigit() and len(word.rsplit("/", 1)[-1]) == 5}), 2100)
                self.assertEqual(len([e for e in faults.exchanges() if target in e["target"]]), 2)
                self.assertEqual(any("list-type=2" in e["target"] for e in faults.exchanges()), old == "false")

    def test_versions_and_retention(self):
        with servers.minio(lock=True) as server:
            client = server.client()
            versions = lambda: client.request("GET", server.bucket, {"versions": ""})[1].count(b"<VersionId>")
            for _ in range(2):
                self.walrig(server.env, "st", "put", "--no-encrypt", "--no-compress", "--force", self.source, "twice")
            self.assertEqual(versions(), 2)
            self.walrig({**server.env, "S3_ENABLE_VERSIONING": "disabled"}, "st", "rm", "twice", "--confirm")
            self.assertEqual((versions(), client.keys(server.bucket)), (3, []))  # two and the mark of the deletion
            self.walrig(server.env, "st", "put", "--no-encrypt", "--no-compress", self.source, "twice")
            self.walrig(server.env, "st", "rm", "twice", "--confirm")
            self.assertEqual(versions(), 0)
            locked = {**server.env, "S3_RETENTION_PERIOD": "3600", "S3_RETENTION_MODE": "COMPLIANCE"}
            self.archived(locked)
            self.walrig({**locked, "S3_MAX_PART_SIZE": "5242880"}, "st", "put", "--no-encrypt", "--no-compress", self.source, "parts")
            for key in client.keys(server.bucket):
                status, text = client.request("GET", f"{server.bucket}/{key}", {"retention": ""})
                self.assertIn(b"<Mode>COMPLIANCE</Mode>", text)
            said = self.walrig(server.env, "st", "rm", "parts", "--confirm", code=1)
            self.assertRegex(said, "WORM|AccessDenied|protected")
            self.assertEqual(len(client.keys(server.bucket)), 3)  # with the archive's marker

    def test_the_storage_itself_on_a_real_server(self):
        """Copies in parts, aborts that leave nothing, put-if-absent: what no command does by itself."""
        authority = servers.Authority(os.path.join(self.dir, "ca"))
        with servers.minio(tls=authority) as server:
            env = {"WALRIG_TEST_S3_ENDPOINT": server.url, "WALRIG_TEST_S3_BUCKET": server.bucket, "WALRIG_TEST_S3_KEY": server.key,
                   "WALRIG_TEST_S3_SECRET": server.secret, "WALRIG_TEST_S3_CA": authority.ca}
            done = subprocess.run([os.path.join(BUILD, "tests/unit/unit_plugins_storage_s3"), "--gtest_filter=RealS3.*"], env={**os.environ, **env},
                                  capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("SKIPPED", done.stdout)
            self.assertRegex(done.stdout, r"PASSED  \] 7 tests")


class GivenUp(Archive):
    """An upload that the server refuses half way leaves nothing that is not finished."""

    def given_up(self, server, env, rule):
        faults = servers.FaultProxy(FAULTS, server.url)
        self.addCleanup(faults.stop)
        faults.rules(rule)
        self.walrig(env(faults.url), "wal-push", self.source, code=1)
        exchanges = faults.exchanges()
        self.assertGreater(faults.hits(), 0)
        return [e for e in exchanges if not e["hit"]]

    def test_s3(self):
        with servers.minio() as server:
            passed = self.given_up(server, lambda url: {**server.env, "AWS_ENDPOINT": url, "S3_MAX_PART_SIZE": "5242880"},
                                   "status status=400 method=PUT target=partNumber skip=1 times=all")
            self.assertTrue([e for e in passed if e["method"] == "DELETE" and "uploadId" in e["target"]])
            self.assertEqual((server.client().uploads(server.bucket), server.client().keys(server.bucket)), ([], []))

    def test_gcs(self):
        with servers.fake_gcs() as server:
            storage = lambda url: {"WALRIG_STORAGE": f"gcs,prefix=gs://{server.bucket}/x,emulator={url},parallel=4,chunk_size=1MiB"}
            passed = self.given_up(server, storage, "status status=400 method=POST target=uploadType skip=5 times=all")
            self.assertEqual(len([e for e in passed if "uploadType" in e["target"]]), 5)
            self.assertEqual(server.keys(), [])


class GoogleTokens(aws.Credentials):
    """Google's token endpoint: token-secret-0, token-secret-1, ..."""

    def __init__(self):
        super().__init__(None)

    def handle(self, method, path, body, headers):
        self.given.append(f"token-secret-{len(self.given)}")
        return 200, json.dumps({"access_token": self.given[-1], "expires_in": 3600})


class Expiry(Base):
    """Credentials end in the middle of a backup."""

    def check(self, server, env, rules, given, keys):
        self.outputs.clear()
        self.use(server.env)  # the server archives straight
        self.fill(60000)
        faults = servers.FaultProxy(os.path.join(self.world.prefix, PROXY), server.url)
        self.addCleanup(faults.stop)
        shaken = self.world.path("expiry.json")
        self.use(env(faults.url), config=shaken, S3_MAX_PART_SIZE="5242880", WALG_COMPRESSION_METHOD="none", WALG_ZSTD_LEVEL=None)
        faults.rules(*rules)
        done = self.push(check=False, config=shaken)
        self.assertEqual(done.code, 0, str(done)[-4000:])
        self.assertGreater(faults.hits(), 0, "nothing was refused")
        self.assertGreaterEqual(len(given()), 2)
        self.walrig("backup-verify", "LATEST")
        self.assertTrue(any("sentinel" in key for key in keys()))

    def test_s3(self):
        with servers.minio() as server:
            client = server.client()
            first, second = client.temporary(), client.temporary()
            left = [first, second]
            with aws.Credentials(lambda: left.pop(0) if len(left) > 1 else left[0]) as source:
                env = lambda url: {**{k: v for k, v in server.env.items() if k not in KEYS}, "AWS_ENDPOINT": url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": source.url}
                # As AWS says it: to a HEAD without a word.
                old = f"header=Authorization:{first['AccessKeyId']} times=all"
                self.check(server, env, [f"status status=403 body={EXPIRED} method=PUT skip=2 {old}", f"status status=400 method=HEAD skip=2 {old}"],
                           lambda: source.given, lambda: client.keys(server.bucket))
                self.assertIn(second["AccessKeyId"], source.given)
                self.assert_no_secret([first["SecretAccessKey"], second["SecretAccessKey"], first["SessionToken"], second["SessionToken"], "metadata-token-8c7b"])

    def test_gcs(self):
        with servers.fake_gcs() as server, GoogleTokens() as source:
            path = self.world.path("google.json")
            with open(path, "w") as f:
                json.dump({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "refresh-secret", "token_uri": source.url}, f)
            self.world.own(path)
            env = lambda url: {"WALG_GS_PREFIX": server.env["WALG_GS_PREFIX"], "WALG_GS_ENDPOINT": url, "GOOGLE_APPLICATION_CREDENTIALS": path,
                               "GCS_MAX_CHUNK_SIZE": "1048576"}
            self.check(server, env, ["status status=401 header=Authorization:token-secret-0 skip=6 times=all"], lambda: source.given, server.keys)
            self.assertEqual([key for key in server.keys() if "_chunks/" in key], [])
            self.assert_no_secret(["token-secret-0", "token-secret-1", "refresh-secret"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
