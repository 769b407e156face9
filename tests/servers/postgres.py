"""Debian's PostgreSQL: which majors a machine has depends on the release, 15 on Debian 12, 17 on Debian 13."""
import glob
import re


def newest():
    """The folder with the programs of the newest major; a folder that does not exist where there is none."""
    found = {int(match[1]): match[0] for match in map(re.compile(r"/usr/lib/postgresql/(\d+)/bin").fullmatch, glob.glob("/usr/lib/postgresql/*/bin")) if match}
    return found[max(found)] if found else "/usr/lib/postgresql/none/bin"
