// Keys and machines of cipher gcrypt for its tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "plugins/cipher/gcrypt/key_tool.h"
#include "plugins/cipher/gcrypt/opener.h"
#include "plugins/cipher/gcrypt/sealer.h"
#include "tests/support/status_matchers.h"

namespace walrig::gcrypt::test {

inline const Status kStarted = StartLibrary();

inline std::string RingWith(KeyVerb verb, std::string_view kind, std::string_view ring = "") {
  auto text = EditKeys(verb, kind, AsBytes(ring), "2026-11-23T22:00:00Z");
  EXPECT_OK(text);
  return text.ok() ? std::string(text->text()) : "";
}

inline std::unique_ptr<Keys> KeysOf(std::string_view ring, std::string_view passphrase = "") {
  KeyRing parsed;
  if (!ring.empty()) {
    auto got = KeyRing::Parse(ring, "ring");
    EXPECT_OK(got);
    if (got.ok()) parsed = std::move(*got);
  }
  auto secret = SecretBytes::CopyOf(AsBytes(passphrase));
  return std::make_unique<Keys>(std::move(parsed), std::move(*secret));
}

inline Result<std::string> RunMachine(Transform& machine, std::string_view in, size_t piece = SIZE_MAX, size_t room = 1 << 17) {
  std::string out;
  std::string buffer(room, '\0');
  for (bool finishing = false;;) {
    const std::string_view part = in.substr(0, piece);
    finishing = finishing || part.size() == in.size();
    TransformIo io{.in = AsBytes(part), .out = {reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()}};
    auto progress = machine.Process(io, finishing ? Directive::kFinish : Directive::kRun);
    if (!progress.ok()) return std::move(progress).status();
    in.remove_prefix(io.in_used);
    out.append(buffer, 0, io.out_used);
    if (*progress == Progress::kEnd) return out;
  }
}

inline std::string Seal(Keys& keys, std::string_view plain, SealOptions options = {.chunk_log = 12}) {
  auto sealer = NewSealer(keys, options);
  EXPECT_OK(sealer);
  if (!sealer.ok()) return "";
  auto sealed = RunMachine(**sealer, plain);
  EXPECT_OK(sealed);
  return sealed.ok() ? *sealed : "";
}

// What an opener gave before it failed, too.
struct Opened {
  Status status;
  std::string plain;
};
inline Opened Open(Keys& keys, std::string_view sealed) {
  const auto opener = NewOpener(keys);
  Opened opened;
  std::string buffer(8192, '\0');
  for (;;) {
    TransformIo io{.in = AsBytes(sealed), .out = {reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()}};
    auto progress = opener->Process(io, Directive::kFinish);
    if (!progress.ok()) return opened.status = std::move(progress).status(), opened;
    sealed.remove_prefix(io.in_used);
    opened.plain.append(buffer, 0, io.out_used);
    if (*progress == Progress::kEnd) return opened;
  }
}

}  // namespace walrig::gcrypt::test
