"""Starts one server for work by hand.

    python3 tests/servers minio                       prints its settings, runs until Ctrl-C
    python3 tests/servers minio -- walrig st ls ...    runs a command with its settings, then stops the server
    python3 tests/servers --tls minio ...              over TLS with a private authority
"""
import os
import shlex
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import servers  # noqa: E402


def main(words):
    command = None
    if "--" in words:
        command = words[words.index("--") + 1:]
        words = words[:words.index("--")]
    tls = "--tls" in words
    names = [w for w in words if w != "--tls"]
    if len(names) != 1 or names[0] not in servers.BY_NAME:
        print(f"{__doc__}\nservers: {' '.join(servers.BY_NAME)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="walrig-ca-") as place:
        os.chmod(place, 0o755)
        more = {"tls": servers.Authority(place)} if tls else {}
        with servers.BY_NAME[names[0]](**more) as server:
            if command:
                return subprocess.run(command, env={**os.environ, **server.env}).returncode
            print("\n".join(f"export {k}={shlex.quote(v)}" for k, v in server.env.items()), flush=True)
            try:
                server.process.wait()
            except KeyboardInterrupt:
                pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
