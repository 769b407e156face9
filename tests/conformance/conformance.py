#!/usr/bin/env python3
"""Runs `walrig plugin check` on every shipped plugin, through its .so, at level 2; one argument: the build tree.

Deviations are declared here, in one place: formats without a checksum.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

NO_CHECKSUM = {"brotli", "lzma"}


def main():
    build = os.path.abspath(sys.argv[1])
    walrig = os.path.join(build, "bin/walrig")
    files = sorted(f for f in glob.glob(os.path.join(build, "lib/walrig/plugins-1/*.so")) if not os.path.islink(f))
    if not files:
        print(f"no plugins in {build}")
        return 1
    failed = []
    for path in files:
        kind, _, rest = os.path.basename(path)[:-3].partition("-")
        for name in ["xz", "lzma"] if rest == "xz" else [rest]:
            place = tempfile.mkdtemp(prefix="walrig-conformance-")
            options = ["-o", f"prefix={place}"] if kind == "storage" else []
            options += ["--no-checksum"] if name in NO_CHECKSUM else []
            done = subprocess.run([walrig, "plugin", "check", path, f"--name={name}", "--level=2", *options], capture_output=True, text=True)
            shutil.rmtree(place)
            print(f"{kind}/{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
            if done.returncode != 0:
                failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "all conform")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
