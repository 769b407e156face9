#!/bin/bash
# A stranger's way: installs the SDK into a temporary prefix, builds both templates out of tree against it, installs
# and checks them; with a walrig program also scans, lists and runs the conformance kit.
#
#   template_test.sh BUILD_DIR SOURCE_DIR [WALRIG]
set -euo pipefail
build=$1 source=$2 walrig=${3:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/walrig-sdk-XXXXXX")
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() { echo "template_test: $*" >&2; exit 1; }
quiet() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "failed: $*"; }; }

quiet cmake --install "$build" --prefix "$prefix" --component sdk
[ -n "$(find "$prefix" -name walrig-sdk-config.cmake)" ] || fail "no CMake package was installed"
# The tree can be moved after installation: nothing in it may name a place outside.
mv "$prefix" "$work/moved"; prefix=$work/moved
grep -rIl -e "$source" -e "$build" -e "$work/prefix" "$prefix" && fail "the installed SDK names the build machine's folders"

pc=$(dirname "$(find "$prefix" -name walrig-sdk.pc)")
if command -v pkg-config >/dev/null; then
  export PKG_CONFIG_PATH=$pc
  plugindir=$(pkg-config --variable=plugindir walrig-sdk)
  case $plugindir in */walrig/plugins-1) ;; *) fail "walrig-sdk.pc gives plugindir $plugindir" ;; esac
  echo '#include <walrig/abi/plugin.h>' | ${CC:-cc} -std=c99 $(pkg-config --cflags walrig-sdk) -fsyntax-only -x c - ||
    fail "the C header does not compile with pkg-config's flags"
fi

plugins=$work/plugins
for name in storage compressor; do
  template=$name-template
  # A copy, as a stranger has one: nothing may reach back into the tree.
  cp -r "$(find "$prefix" -type d -name "$template")" "$work/$template"
  quiet cmake -S "$work/$template" -B "$work/build-$name" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" \
    "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror" "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror"
  quiet cmake --build "$work/build-$name"
  quiet cmake --install "$work/build-$name" --prefix "$work/out-$name"
  so=$(find "$work/out-$name" -name "$template.so")
  case $so in */walrig/plugins-1/$template.so) ;; *) fail "$template.so was installed as '$so'" ;; esac

  exports=$(readelf --dyn-syms --wide "$so" | awk '$5 != "LOCAL" && $7 != "UND" && NR > 3 && $8 != "" {print $8}' | sort -u)
  [ "$exports" = walrig_plugin_entry_v1 ] || fail "$template.so exports: $exports"
  readelf --notes --wide "$so" | grep -q walrig-plugin || fail "$template.so has no plugin note"
  readelf --dynamic --wide "$so" >"$work/dynamic"
  grep -q NODELETE "$work/dynamic" || fail "$template.so can be unloaded"
  grep -q 'BIND_NOW\|NOW' "$work/dynamic" || fail "$template.so binds lazily"
  grep -q 'RPATH\|RUNPATH\|TEXTREL' "$work/dynamic" && fail "$template.so has a run path or text relocations"
  mkdir -p "$plugins"; chmod 0755 "$work" "$plugins"
  install -m 0644 "$so" "$plugins/"
  cp "$so" "$work/stripped.so"; strip "$work/stripped.so"
  readelf --notes --wide "$work/stripped.so" | grep -q walrig-plugin || fail "strip takes the note of $template.so"
done

if [ -z "$walrig" ] || ! "$walrig" plugin --help >/dev/null 2>&1; then
  echo "template_test: OK (built and inspected; no walrig program with 'plugin' to use them with)"
  exit 0
fi
# Not below /tmp: a plugin under a directory that others may write to is not trusted.
home=$(mktemp -d "${WALRIG_TEST_TRUSTED_DIR:-$HOME}/.walrig-sdk-test-XXXXXX")
trap 'rm -rf "$work" "$home"' EXIT
chmod 0755 "$home"; cp "$plugins"/*.so "$home/"
export XDG_CACHE_HOME=$home/cache
quiet "$walrig" --plugin-dir "$home" plugin scan
"$walrig" --plugin-dir "$home" plugin list --json >"$work/list.json" || fail "plugin list"
for name in storage compressor; do
  grep -q "$name-template.so" "$work/list.json" || { cat "$work/list.json" >&2; fail "plugin list does not show $name-template.so"; }
done
mkdir "$work/objects"
quiet "$walrig" plugin check "$home/storage-template.so" -o directory="$work/objects"
quiet "$walrig" plugin check "$home/compressor-template.so"
echo "template_test: OK (built, inspected, scanned, listed, checked)"
