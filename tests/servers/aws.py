"""Scripted services of AWS that give out credentials, and a proxy that leads AWS's host names to a server of ours."""
import datetime
import http.server
import json
import select
import socket
import socketserver
import threading
import urllib.parse


class _Threads:
    """A server on a loopback port, served by threads until `stop`."""

    def __init__(self, server):
        self._server = server
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.answer(*self.server.owner.handle(self.command, self.path, body, self.headers))

    do_GET = do_PUT = do_POST = any


class Credentials(_Threads):
    """The instance's metadata (version 2 alone), a container's endpoint and STS for web identities.

    make     gives the keys of one answer: {"AccessKeyId":, "SecretAccessKey":, "SessionToken":}
    seconds  how long they are said to be good
    given    the access keys that were given out, in order
    forms    what STS was asked
    """

    CONTAINER = "/container/credentials"

    def __init__(self, make, seconds=3600, container_token="container-token-1f2e"):
        self.make, self.seconds, self.container_token = make, seconds, container_token
        self.given, self.forms, self.refused = [], [], 0
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.owner = self
        super().__init__(server)

    def _keys(self):
        keys = self.make()
        self.given.append(keys["AccessKeyId"])
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)
        return {**keys, "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _json(self):
        keys = self._keys()
        return json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": keys["AccessKeyId"], "SecretAccessKey": keys["SecretAccessKey"],
                           "Token": keys["SessionToken"], "Expiration": keys["Expiration"]})

    def _refuse(self, status=401):
        self.refused += 1
        return status, ""

    def handle(self, method, path, body, headers):
        roles = "/latest/meta-data/iam/security-credentials/"
        if path == "/latest/api/token":
            seconds = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            # The real service refuses what came through a proxy, and everything but PUT.
            good = method == "PUT" and seconds.isdigit() and 1 <= int(seconds) <= 21600 and "X-Forwarded-For" not in headers
            return (200, "metadata-token-8c7b") if good else self._refuse(405 if method != "PUT" else 400)
        if path.startswith(roles):
            if method != "GET" or headers.get("X-aws-ec2-metadata-token") != "metadata-token-8c7b":
                return self._refuse()
            return (200, "a-role") if path == roles else (200, self._json()) if path == roles + "a-role" else self._refuse(404)
        if path == self.CONTAINER:
            return (200, self._json()) if headers.get("Authorization") == self.container_token else self._refuse()
        if path == "/" and method == "POST":
            form = dict(urllib.parse.parse_qsl(body))
            self.forms.append(form)
            if form.get("Action") != "AssumeRoleWithWebIdentity" or "Authorization" in headers:
                return self._refuse(400)
            keys = "".join(f"<{name}>{value}</{name}>" for name, value in self._keys().items())
            return 200, (f'<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>'
                         f"<Credentials>{keys}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")
        return self._refuse(404)


class _Connect(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline(1000).decode("latin-1").split()
        while self.rfile.readline(10000) not in (b"\r\n", b"\n", b""):
            pass
        if len(line) != 3 or line[0] != "CONNECT":
            return
        owner = self.server.owner
        owner.hosts.append(line[1])
        with socket.create_connection(("127.0.0.1", owner.port)) as there:
            self.wfile.write(b"HTTP/1.1 200 go on\r\n\r\n")
            pair = {self.connection: there, there: self.connection}
            while True:
                for side in select.select(list(pair), [], [], 30)[0]:
                    data = side.recv(65536)
                    if not data:
                        return
                    pair[side].sendall(data)


class HostProxy(_Threads):
    """An HTTP proxy that connects every host to one port of ours; `hosts` is who was asked for."""

    def __init__(self, port):
        self.port, self.hosts = port, []
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Connect)
        server.owner = self
        super().__init__(server)
