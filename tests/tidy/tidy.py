#!/usr/bin/env python3
"""The tree keeps its shape: who may include whom, a test beside every source, links that lead somewhere.

  tidy.py ROOT      prints each finding as path:line: text; exit 1 if there is any

The levels are those of core/README.md. A rule that has to be broken is changed here, in the commit that breaks it.
"""
import os
import re
import subprocess
import sys

LEVELS = {
    "core/include": 0, "core/base": 1,
    "core/io": 2, "core/config": 2, "core/metrics": 2, "core/postgres": 2, "core/layout": 2,
    "core/storage": 3, "core/pipeline": 3, "core/plugin": 3,
    "core/pgdata": 4, "core/catalog": 4,
    "core/backup": 5, "core/wal": 5, "core/catchup": 5, "core/retention": 5, "core/verify": 5, "core/st": 5,
    "core/daemon": 6,
}
# Rooms of one level do not include each other, but for these.
SIDEWAYS = {
    ("core/layout", "core/postgres"), ("core/io", "core/postgres"), ("core/pgdata", "core/catalog"),
}
LIBRARY_ROOMS = {
    r"sqlite3\.h": ("core/plugin/",), r"boost/dll": ("core/plugin/",), r"libpq-fe\.h": ("core/postgres/",),
    r"nlohmann/": ("core/base/json", "plugins/common/http/document", "core/layout/", "core/postgres/backup_manifest"), r"yaml-cpp": ("core/config/",),
    r"isa-l": ("core/base/", "plugins/common/http/digest"), r"xxhash\.h": ("core/base/", "plugins/common/ssh/"), r"gcrypt\.h": ("core/base/", "plugins/cipher/", "plugins/common/http/"),
    r"curl/": ("plugins/common/http/",), r"pugixml": ("plugins/common/http/",),
    r"zstd\.h": ("plugins/compressor/zstd/",), r"lz4\w*\.h": ("plugins/compressor/lz4/",), r"lzma\.h": ("plugins/compressor/xz/",),
    r"brotli/": ("plugins/compressor/brotli/",), r"zlib\.h": ("plugins/compressor/gzip/",), r"lzo/": ("plugins/compressor/lzo/",),
    r"boost/program_options": ("cli/",), r"boost/": ("core/plugin/", "cli/"),
}
BANNED = [
    (r"\b(?:std::)?(?:_)?exit\s*\(", ("core/", "plugins/"), "only main ends the process"),
    (r"\bstd::(?:cout|cerr)\b|\bprintf\s*\(", ("core/", "plugins/"), "the core and plugins speak through ctx.log"),
    (r"\b(?:strcpy|strcat|sprintf|gets|atoi|atol|atoll|strtok)\s*\(", ("core/", "plugins/", "cli/", "sdk/"), "unbounded or unchecked"),
    (r"\bassert\s*\(", ("core/",), "use WALRIG_ASSERT, which stays on in release"),
    (r"\b(?:TODO|FIXME|XXX|HACK)\b", ("core/", "plugins/", "cli/", "sdk/", "tests/", "packaging/"), "finish it or write it into docs/"),
    (r"std::this_thread::sleep|\busleep\s*\(", ("core/", "plugins/", "tests/unit/"), "time comes from ctx.clock"),
]
LINES_MAX = 600
FUNCTION_LINES_MAX = 110


def tracked(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    files = out.stdout.split("\n") if out.returncode == 0 else []
    if not files:
        files = [os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs if "/build" not in d and "/.git" not in d]
    return sorted(f for f in files if f and os.path.isfile(os.path.join(root, f)))


def room(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "core" else parts[0]


def check_include(path, number, line, say):
    m = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
    if not m:
        return
    target = m[1]
    for pattern, owners in LIBRARY_ROOMS.items():
        if re.match(pattern, target):
            if not path.startswith("tests/") and not any(path.startswith(o) for o in owners):
                say(path, number, f"includes {target}, which belongs to {' or '.join(owners)}")
            break
    mine = room(path)
    if target.startswith("walrig/") or not re.match(r"(core|cli|plugins|sdk|tests)/", target):
        if target.startswith("walrig/abi/") and mine.startswith("core/") and mine != "core/plugin":
            say(path, number, "only core/plugin stands at the plugin wall")
        return
    theirs = room(target)
    if theirs == "tests" and mine != "tests":
        say(path, number, "nothing includes tests")
    elif mine.startswith("core/"):
        if not theirs.startswith("core/"):
            say(path, number, f"core knows no {theirs}")
        elif mine != theirs:
            a, b = LEVELS.get(mine), LEVELS.get(theirs)
            if a is None or b is None:
                say(path, number, f"a room without a level: {mine if a is None else theirs}")
            elif b > a or (b == a and (mine, theirs) not in SIDEWAYS):
                say(path, number, f"{mine} (level {a}) may not include {theirs} (level {b})")
    elif mine == "plugins" and not target.startswith("plugins/"):
        say(path, number, f"a plugin sees the contract, the SDK and plugins/common, not {target}")
    elif mine == "sdk" and not target.startswith("sdk/"):
        say(path, number, f"the SDK sees the contract only, not {target}")


def check_lengths(path, lines, say):
    if len(lines) > LINES_MAX:
        say(path, len(lines), f"{len(lines)} lines: is it one thing?")
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"[A-Za-z].*[)\w&*>] (?:const )?(?:noexcept )?(?:override )?\{$", line) and not re.match(
                r"(namespace|class|struct|enum|union|extern)\b", line):
            start = number
        elif start is not None and line.startswith("}"):
            if number - start > FUNCTION_LINES_MAX:
                say(path, start, f"a function of {number - start} lines")
            start = None


def check_links(root, path, lines, say):
    for number, line in enumerate(lines, 1):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
            if not re.match(r"[a-z]+:", target) and not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                say(path, number, f"a link to {target}, which does not exist")


def check_mirror(files, say):
    """Every .cc of core has its test; every unit test has its source."""
    present = set(files)
    for path in files:
        if re.match(r"tests/unit/(core|cli)/.*_test\.cc$", path):
            stem = path[len("tests/unit/"):-len("_test.cc")]
            # "retrying_put_test" is a second file of tests of "retrying".
            words = os.path.basename(stem).split("_")
            stems = [os.path.dirname(stem) + "/" + "_".join(words[:n]) for n in range(1, len(words) + 1)]
            if not any(s + end in present for s in stems for end in (".cc", ".h")):
                say(path, 1, f"tests {stem}, which does not exist")
    missing = [p for p in files if re.match(r"core/.*\.cc$", p) and f"tests/unit/{p[:-3]}_test.cc" not in present]
    return missing


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".")
    findings = []
    say = lambda path, line, text: findings.append(f"{path}:{line}: {text}")
    files = tracked(root)
    for path in files:
        if not re.search(r"\.(cc|h|c|md|sh|py|txt|cmake)$", path) or path.startswith("tests/data/"):
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
            lines = f.read().split("\n")
        if re.search(r"\.(cc|h|c)$", path):
            for number, line in enumerate(lines, 1):
                check_include(path, number, line, say)
                code = re.sub(r'//.*|"(?:\\.|[^"\\])*"', "", line)
                for pattern, where, why in BANNED:
                    if path.startswith(where) and re.search(pattern, code if "TODO" not in pattern else line):
                        say(path, number, f"{re.search(pattern, code if 'TODO' not in pattern else line)[0].strip()}: {why}")
            check_lengths(path, lines, say)
        elif path.endswith(".md"):
            check_links(root, path, lines, say)
    missing = check_mirror(files, say)
    for path in missing:
        print(f"note: {path} has no unit test of its own")
    print("\n".join(findings) if findings else f"tidy: {len(files)} files, nothing to say")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
