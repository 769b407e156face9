"""Real servers for the tests of storages, on loopback ports, with data that goes with them.

    import servers
    with servers.minio() as s:
        run(walrig, env=s.env)

install.sh gets them; README.md tells the rest.
"""
from . import postgres
from .azure import Azurite as azurite
from .faults import FaultProxy
from .gcs import FakeGcs as fake_gcs
from .process import USER, Server, free_port, missing
from .s3 import MinIO as minio
from .s3 import S3rver as s3rver
from .ssh import Sshd as sshd
from .tls import Authority

BY_NAME = {"minio": minio, "s3rver": s3rver, "fake-gcs": fake_gcs, "azurite": azurite, "sshd": sshd}

__all__ = ["Authority", "BY_NAME", "FaultProxy", "Server", "USER", "azurite", "fake_gcs", "free_port", "minio", "missing", "postgres", "s3rver", "sshd"]
