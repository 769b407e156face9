"""Debian's sshd with keys of its own, which lets in the user of the tests by one client key."""
import os
import socket
import subprocess

from .process import ROOT, USER, Server, missing, own

SSHD = "/usr/sbin/sshd"


class Sshd(Server):
    name = "sshd"

    def __init__(self, port=None):
        super().__init__(port)
        self.data = os.path.join(self.dir, "data")
        os.mkdir(self.data, 0o755)
        # One file each side: what the client brings, and what a client that knows the server knows.
        for name in ("host_key", "client_key"):
            if os.path.exists("/usr/bin/ssh-keygen"):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self._path(name)], check=True)

    def _path(self, name):
        return os.path.join(self.dir, name)

    def command(self):
        if not os.access(SSHD, os.X_OK):
            missing("sshd", "no openssh-server (packaging/deps.sh test)")
        if ROOT:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # privilege separation demands it
        with open(self._path("sshd_config"), "w") as f:
            f.write(f"""ListenAddress 127.0.0.1
Port {self.port}
HostKey {self._path("host_key")}
AuthorizedKeysFile {self._path("client_key.pub")}
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
MaxStartups 100
MaxSessions 100
# Without PAM sshd takes a user that has no password, such as postgres, for locked; without root there is no PAM.
UsePAM {"yes" if ROOT else "no"}
Subsystem sftp internal-sftp
""")
        return [SSHD, "-D", "-e", "-f", self._path("sshd_config")]

    def ready(self):
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.settimeout(5)
            return s.recv(4) == b"SSH-"

    def set_up(self):
        with open(self._path("host_key.pub")) as f:
            kind, key = f.read().split()[:2]
        with open(self._path("known_hosts"), "w") as f:
            f.write(f"[127.0.0.1]:{self.port} {kind} {key}\n")
        own(self.data)
        own(self._path("client_key"))
        with open(self._path("client_key")) as f:
            self.secrets = f.read().split("\n")[1:-2]
        self.url = f"ssh://127.0.0.1:{self.port}"
        self.env = {"WALG_SSH_PREFIX": f"ssh://127.0.0.1{self.data}", "SSH_PORT": str(self.port), "SSH_USERNAME": USER,
                    "SSH_PRIVATE_KEY_PATH": self._path("client_key"), "WALRIG_SSH_KNOWN_HOSTS": self._path("known_hosts")}

    def keys(self, prefix=""):
        found = []
        for directory, _, files in os.walk(self.data):
            found += [os.path.relpath(os.path.join(directory, name), self.data) for name in files]
        return sorted(k for k in found if k.startswith(prefix))
