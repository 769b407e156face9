"""walrig-fault-proxy before a server, scripted by the lines that sdk/testing/fault_rule.h describes."""
import atexit
import json
import os
import queue
import subprocess
import threading
import urllib.parse


class FaultProxy:
    """`with FaultProxy(program, server.url) as p:`; p.url takes the place of the server's, with its path.

    Over plain TCP (tcp=True, for SSH and TLS) a connection is a request.
    """

    def __init__(self, program, url, tcp=False):
        parts = urllib.parse.urlsplit(url)
        self.process = subprocess.Popen([program, *(["--tcp"] if tcp else []), f"{parts.hostname}:{parts.port}"], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers, self._seen, self._lock = queue.Queue(), [], threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self.stop)
        self.port = int(self._answers.get(timeout=10).split()[1])
        self.url = parts._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                with self._lock:
                    self._seen.append(json.loads(line))
            else:
                self._answers.put(line.strip())

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        answer = self._answers.get(timeout=10)
        if answer != "ok":
            raise ValueError(answer)

    def rules(self, *lines):
        """These and no others from now on; counts begin anew."""
        self._say("clear")
        with self._lock:
            self._seen = []
        for line in lines:
            self._say(line)

    def exchanges(self):
        """What came since the last rules(), as far as it is over: a dict each, as the program prints it."""
        with self._lock:
            return list(self._seen)

    def attempts(self, method, target):
        return sum(e["method"] == method and target in e["target"] for e in self.exchanges())

    def hits(self):
        return sum(e["hit"] for e in self.exchanges())

    def stop(self):
        """Ends all connections; exchanges() is complete afterwards."""
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(30)
            self._reader.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
