"""A private certificate authority and the certificates that a client must take or refuse."""
import os
import subprocess


def _openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(words)}: {done.stderr}")


class Authority:
    """Makes certificates for 127.0.0.1 and localhost below `directory`; `ca` is the file that a client is to trust."""

    KINDS = ("good", "wrong_ca", "expired", "wrong_host")

    def __init__(self, directory, names=()):
        """`names`: more host names for the good certificate."""
        self.dir, self.names = directory, names
        os.makedirs(directory, exist_ok=True)
        self.ca = self._root("ca")

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _root(self, name):
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", f"/CN=walrig tests {name}", "-keyout", self._path(f"{name}.key"), "-out", self._path(f"{name}.crt"),
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        os.chmod(self._path(f"{name}.crt"), 0o644)
        return self._path(f"{name}.crt")

    def certificate(self, kind="good"):
        """(certificate file, key file) of one of KINDS."""
        if kind not in self.KINDS:
            raise ValueError(kind)
        crt, key, csr, extensions = (self._path(f"{kind}.{end}") for end in ("crt", "key", "csr", "ext"))
        if os.path.exists(crt):
            return crt, key
        signer = "ca"
        if kind == "wrong_ca":
            signer = "other-ca"
            self._root(signer)
        names = "DNS:elsewhere.example" if kind == "wrong_host" else ",".join(["IP:127.0.0.1", "DNS:localhost", *(f"DNS:{n}" for n in self.names)])
        with open(extensions, "w") as f:
            f.write(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN=walrig tests {kind}",
                 "-keyout", key, "-out", csr)
        _openssl("x509", "-req", "-in", csr, "-CA", self._path(f"{signer}.crt"), "-CAkey", self._path(f"{signer}.key"), "-CAcreateserial",
                 "-days", "-1" if kind == "expired" else "10", "-extfile", extensions, "-out", crt)
        return crt, key
