"""MinIO and s3rver, and just enough of an S3 client to prepare a bucket and to look behind walrig's back."""
import datetime
import glob
import hashlib
import hmac
import http.client
import os
import re
import ssl
import urllib.parse

from .process import Server, cache, missing, versions

REGION = "us-east-1"


class S3Client:
    """Signed requests to one endpoint."""

    def __init__(self, url, key, secret, ca=None, region=REGION):
        self.url, self.key, self.secret, self.ca, self.region = urllib.parse.urlsplit(url), key, secret, ca, region

    def request(self, method, path, query=None, body=b"", headers=None, service="s3"):
        """(status, body). `path` begins with the bucket."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        target = "/" + urllib.parse.quote(path.lstrip("/"))
        text = "&".join(f"{urllib.parse.quote(k, safe='')}={urllib.parse.quote(v, safe='')}" for k, v in sorted((query or {}).items()))
        digest = hashlib.sha256(body).hexdigest()
        sent = {"host": self.url.netloc, "x-amz-content-sha256": digest, "x-amz-date": now, **(headers or {})}
        names = ";".join(sorted(sent))
        canonical = "\n".join([method, target, text, *(f"{k}:{sent[k]}" for k in sorted(sent)), "", names, digest])
        scope = f"{now[:8]}/{self.region}/{service}/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for word in scope.split("/"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={names}, Signature={signature}"
        if self.url.scheme == "https":
            connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=30, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        try:
            connection.request(method, target + ("?" + text if text else ""), body=body, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _all(self, tag, text):
        return [m.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">") for m in re.findall(f"<{tag}>([^<]*)</{tag}>", text)]

    def keys(self, bucket, prefix=""):
        found, token = [], None
        while True:
            query = {"list-type": "2", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            status, body = self.request("GET", bucket, query)
            if status != 200:
                raise RuntimeError(f"list of {bucket}: {status} {body[:300]}")
            found += self._all("Key", body.decode())
            token = next(iter(self._all("NextContinuationToken", body.decode())), None)
            if not token:
                return found

    def temporary(self, seconds=900):
        """Keys from the server's own STS: {"AccessKeyId":, "SecretAccessKey":, "SessionToken":, "Expiration":}."""
        body = f"Action=AssumeRole&Version=2011-06-15&DurationSeconds={seconds}".encode()
        status, answer = self.request("POST", "", body=body, headers={"content-type": "application/x-www-form-urlencoded"}, service="sts")
        if status != 200:
            raise RuntimeError(f"assume role: {status} {answer[:300]}")
        return {name: self._all(name, answer.decode())[0] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}

    def uploads(self, bucket, prefix=""):
        """Keys of multipart uploads that were begun and not ended. MinIO lists only with "" or an object's whole key."""
        status, body = self.request("GET", bucket, {"uploads": "", "prefix": prefix})
        if status != 200:
            raise RuntimeError(f"uploads of {bucket}: {status} {body[:300]}")
        return self._all("Key", body.decode())


class S3Server(Server):
    key, secret, bucket = "", "", "walrig-tests"

    def __init__(self, tls=None, kind="good", port=None, region=REGION, more=None, lock=False):
        """`tls` is an Authority: then https, with its certificate of this kind. `more` is environment; `lock` gives the bucket object lock."""
        super().__init__(port)
        self.region, self.more, self.lock = region, more or {}, lock
        self.tls, self.kind = tls, kind
        self.data = os.path.join(self.dir, "data")
        os.mkdir(self.data)
        self.secrets = [self.secret]

    def _url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def client(self):
        return S3Client(self._url(), self.key, self.secret, region=self.region)

    def set_up(self):
        self.url = self._url()
        status, body = self.client().request("PUT", self.bucket, headers={"x-amz-bucket-object-lock-enabled": "true"} if self.lock else {})
        if status != 200 and b"BucketAlready" not in body:
            raise RuntimeError(f"{self.name}: cannot make a bucket: {status} {body[:500]}")
        self.env = {"WALG_S3_PREFIX": f"s3://{self.bucket}/walrig", "AWS_ENDPOINT": self.url, "AWS_REGION": self.region,
                    "AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_S3_FORCE_PATH_STYLE": "true"}
        if self.tls:
            self.env["S3_CA_CERT_FILE"] = self.tls.ca


class MinIO(S3Server):
    name = "minio"
    key, secret = "walrig-minio-key", "minio-secret-0f1e2d3c4b5a"

    def command(self):
        program = os.path.join(cache(), f"bin/minio-{versions()['MINIO_VERSION']}")
        if not os.access(program, os.X_OK):
            missing("minio", "not installed (tests/servers/install.sh)")
        certificates = os.path.join(self.dir, "certs")
        os.makedirs(certificates, exist_ok=True)
        if self.tls:
            for source, name in zip(self.tls.certificate(self.kind), ("public.crt", "private.key")):
                target = os.path.join(certificates, name)
                if not os.path.lexists(target):
                    os.symlink(source, target)
        return [program, "server", "--quiet", "--address", f"127.0.0.1:{self.port}", "--certs-dir", certificates, self.data]

    def environment(self):
        return {"MINIO_ROOT_USER": self.key, "MINIO_ROOT_PASSWORD": self.secret, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
                "MINIO_SITE_REGION": self.region, **self.more}

    def ready(self):
        return self.client().request("GET", "minio/health/cluster")[0] == 200


class S3rver(S3Server):
    name = "s3rver"
    key = secret = "S3RVER"  # the only pair that it knows

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.secrets = []  # its key is also its public name

    def command(self):
        found = glob.glob(os.path.join(cache(), "npm-*/node_modules/s3rver/bin/s3rver.js"))
        if not found:
            missing("s3rver", "not installed (tests/servers/install.sh)")
        certificate = []
        if self.tls:
            crt, key = self.tls.certificate(self.kind)
            certificate = ["--cert", crt, "--key", key]
        # Its page tokens are made with a cipher that OpenSSL 3 keeps among the old ones.
        return ["node", "--openssl-legacy-provider", found[-1], "--silent", "--no-vhost-buckets", "--address", "127.0.0.1", "--port", str(self.port), "--directory", self.data,
                "--configure-bucket", self.bucket, *certificate]

    def ready(self):
        return self.client().request("GET", "")[0] == 200
