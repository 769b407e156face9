// SPDX-License-Identifier: MIT-0
#include <algorithm>
#include <random>
#include <thread>

#include "sdk/conformance/support.h"
#include "sdk/conformance/transform_suite.h"

namespace walrig::conformance {
namespace {

// An instance with the machines of a check; `ok` says whether it can go on.
class Bench {
 public:
  Bench(const CompressorFixture& fixture, Verdict& verdict) {
    const Status status = Make(fixture);
    if (status.code() == Code::kNotSupported) {
      verdict.Skip(std::string(status.message()));
    } else if (!status.ok()) {
      verdict.Fail(status.ToString());
    }
    ok = status.ok();
  }
  const CompressorTraits& traits() const { return compressor_->traits(); }
  Compressor& compressor() { return *compressor_; }
  Transform& encoder() { return *encoder_; }
  Transform& decoder() { return *decoder_; }

  Result<std::string> Encode(std::string_view plain, size_t in_piece = 1 << 16, size_t out_piece = 1 << 16) {
    std::string out;
    WALRIG_TRY(encoder_->Reset());
    WALRIG_TRY(RunTransform(*encoder_, plain, &out, in_piece, out_piece));
    return out;
  }
  Status Decode(std::string_view stored, std::string* plain, size_t in_piece = 1 << 16, size_t out_piece = 1 << 16) {
    plain->clear();
    WALRIG_TRY(decoder_->Reset());
    return RunTransform(*decoder_, stored, plain, in_piece, out_piece, 1u << 30);
  }
  bool ok = false;

 private:
  Status Make(const CompressorFixture& fixture) {
    WALRIG_ASSIGN(compressor_, fixture.open());
    if (!traits().encode) return NotSupported("it only reads");
    WALRIG_ASSIGN(encoder_, compressor_->NewEncoder());
    WALRIG_ASSIGN(decoder_, compressor_->NewDecoder());
    return OkStatus();
  }

  std::unique_ptr<Compressor> compressor_;
  std::unique_ptr<Transform> encoder_, decoder_;
};

using Body = std::function<void(Verdict&, Bench&)>;

std::string Sample() { return MakeBytes(700, 3, true) + MakeBytes(300, 4, false); }

bool IsRefusal(const Status& status) {
  return status.code() == Code::kCorruption || status.code() == Code::kTruncated || status.code() == Code::kTooLarge;
}

void CompressorRoundTrips(Verdict& verdict, Bench& bench) {
  for (const size_t size : {0, 1, 2, 255, 4096, 65'535, 65'536, 131'073, 1'000'003, 5'000'011}) {
    for (const bool compressible : {true, false}) {
      const std::string plain = MakeBytes(size, size, compressible);
      KIT_ASSIGN(const std::string stored, bench.Encode(plain));
      std::string back;
      KIT_OK(bench.Decode(stored, &back));
      KIT_EXPECT(back == plain, std::to_string(size) + " bytes came back different");
    }
  }
}

void OneByteStreams(Verdict& verdict, Bench& bench) {
  const std::string plain = MakeBytes(20'000, 1, true);
  KIT_ASSIGN(const std::string stored, bench.Encode(plain, 1, 1));
  std::string back;
  KIT_OK(bench.Decode(stored, &back, 1, 1));
  KIT_EXPECT(back == plain, "the content differs");
}

void RandomSplits(Verdict& verdict, Bench& bench) {
  std::mt19937_64 random(7);
  const std::string plain = MakeBytes(300'000, 2, true);
  for (int round = 0; round < 40; ++round) {
    const auto piece = [&random] { return static_cast<size_t>(1) << (random() % 17); };
    KIT_ASSIGN(const std::string stored, bench.Encode(plain, piece(), piece()));
    std::string back;
    KIT_OK(bench.Decode(stored, &back, piece(), piece()));
    KIT_EXPECT(back == plain, "the content differs in round " + std::to_string(round));
  }
}

void FlushMakesAllDecodable(Verdict& verdict, Bench& bench) {
  const std::string plain = MakeBytes(50'000, 5, true);
  Buffer out(1 << 17);
  std::string stored;
  KIT_OK(bench.encoder().Reset());
  for (size_t at = 0;;) {
    TransformIo io{.in = AsBytes(std::string_view(plain).substr(at)), .out = out.span()};
    KIT_ASSIGN(const Progress progress, bench.encoder().Process(io, Directive::kFlush));
    stored.append(AsText(out.first(io.out_used)));
    at += io.in_used;
    KIT_EXPECT(progress != Progress::kEnd, "FLUSH ended the stream");
    if (progress == Progress::kNeedInput && at == plain.size()) break;
  }
  std::string back;
  KIT_OK(bench.decoder().Reset());
  for (size_t at = 0; at < stored.size() || back.size() < plain.size();) {
    TransformIo io{.in = AsBytes(std::string_view(stored).substr(at)), .out = out.span()};
    KIT_ASSIGN([[maybe_unused]] const Progress progress, bench.decoder().Process(io, Directive::kRun));
    back.append(AsText(out.first(io.out_used)));
    at += io.in_used;
    if (io.in_used == 0 && io.out_used == 0) break;
  }
  if (back != plain) verdict.Warn("what was flushed cannot all be decoded before the end of the stream");
}

void EveryCutStreamIsRefused(Verdict& verdict, Bench& bench) {
  KIT_ASSIGN(const std::string stored, bench.Encode(Sample()));
  for (size_t length = 0; length < stored.size(); ++length) {
    std::string back;
    const Status status = bench.Decode(std::string_view(stored).substr(0, length), &back);
    KIT_EXPECT(!status.ok(), "the first " + std::to_string(length) + " of " + std::to_string(stored.size()) +
                                 " bytes pass for a whole stream");
    KIT_EXPECT(IsRefusal(status), "a truncation is neither corruption nor truncated: " + status.ToString());
  }
}

void NoBitFlipGivesWrongBytes(Verdict& verdict, Bench& bench, bool detects) {
  const std::string plain = Sample();
  KIT_ASSIGN(std::string stored, bench.Encode(plain));
  size_t unseen = 0;
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    const char mask = static_cast<char>(1 << (bit % 8));
    stored[bit / 8] = static_cast<char>(stored[bit / 8] ^ mask);
    std::string back;
    const Status status = bench.Decode(stored, &back);
    unseen += status.ok() && back != plain;
    KIT_EXPECT(status.ok() || IsRefusal(status), "bit " + std::to_string(bit) + ": " + status.ToString());
    stored[bit / 8] = static_cast<char>(stored[bit / 8] ^ mask);
  }
  KIT_EXPECT(unseen == 0 || !detects, std::to_string(unseen) + " of " + std::to_string(stored.size() * 8) +
                                          " single-bit flips gave wrong bytes without an error");
  if (unseen != 0)
    verdict.Warn("the format has no checksum: " + std::to_string(unseen) + " single-bit flips go unseen");
}

void BytesAfterTheStreamAreRefused(Verdict& verdict, Bench& bench) {
  KIT_ASSIGN(const std::string stored, bench.Encode(Sample()));
  for (const std::string_view tail : {"\x01", "garbage that is no stream", "\xff\xff\xff\xff\xff\xff\xff\xff"}) {
    std::string back;
    KIT_EXPECT(!bench.Decode(stored + std::string(tail), &back).ok(),
               "bytes after the end of the stream are ignored in silence");
  }
}

void NoiseIsRefused(Verdict& verdict, Bench& bench) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::string back;
    const Status status = bench.Decode(MakeBytes(1 + seed * 7, seed, false), &back);
    KIT_EXPECT(status.ok() || IsRefusal(status), "noise gives " + status.ToString());
    if (status.ok()) verdict.Warn("noise of seed " + std::to_string(seed) + " decodes");
  }
}

void StreamsInARowDecode(Verdict& verdict, Bench& bench) {
  if (!bench.traits().concatenable) return verdict.Skip("concatenable is not claimed");
  std::string plain, stored;
  for (uint64_t i = 0; i < 5; ++i) {
    const std::string piece = MakeBytes(i * 70'001, i, true);
    KIT_ASSIGN(const std::string encoded, bench.Encode(piece));
    plain += piece;
    stored += encoded;
  }
  for (const size_t piece : {size_t{1}, size_t{977}, size_t{1} << 16}) {
    std::string back;
    KIT_OK(bench.Decode(stored, &back, piece, piece));
    KIT_EXPECT(back == plain, "the content differs");
  }
}

void ResetGivesAFreshMachine(Verdict& verdict, Bench& bench) {
  const std::string plain = Sample();
  KIT_ASSIGN(const std::string first, bench.Encode(plain));
  Buffer out(10);
  TransformIo io{.in = AsBytes("unfinished business"), .out = out.span()};
  KIT_OK(bench.encoder().Reset());
  KIT_OK(bench.encoder().Process(io, Directive::kRun).status());
  KIT_ASSIGN(const std::string second, bench.Encode(plain));
  std::string back;
  KIT_EXPECT(!bench.Decode(first.substr(0, first.size() / 2), &back).ok(), "half a stream decodes");
  KIT_OK(bench.Decode(second, &back));
  KIT_EXPECT(back == plain, "the content differs after a reset");
}

void MemoryStaysWithinItsPromise(Verdict& verdict, Bench& bench) {
  constexpr uint64_t kSlackKib = 12 * 1024;  // buffers of the check and the allocator's own
  const std::string plain = MakeBytes(1 << 20, 9, true);
  std::string stored;
  const uint64_t before = LookAtProcess().rss_peak_kib;
  KIT_OK(bench.encoder().Reset());
  Buffer out(1 << 16);
  for (int i = 0; i <= 64; ++i) {
    TransformIo io;
    for (size_t at = 0;;) {
      io = {.in = AsBytes(std::string_view(plain).substr(at)), .out = out.span()};
      KIT_ASSIGN(const Progress progress, bench.encoder().Process(io, i == 64 ? Directive::kFinish : Directive::kRun));
      stored.append(AsText(out.first(io.out_used)));
      at += io.in_used;
      if (progress == Progress::kEnd || (progress == Progress::kNeedInput && at == plain.size())) break;
    }
  }
  const uint64_t encoded = LookAtProcess().rss_peak_kib;
  const uint64_t encoder_kib = bench.compressor().encoder_memory_bytes() / 1024;
  KIT_EXPECT(
      encoded - before <= encoder_kib + stored.size() / 512 + kSlackKib,
      "the encoder took " + std::to_string(encoded - before) + " KiB and promised " + std::to_string(encoder_kib));
  KIT_OK(bench.decoder().Reset());
  for (size_t at = 0; at < stored.size();) {
    TransformIo io{.in = AsBytes(std::string_view(stored).substr(at, 1 << 16)), .out = out.span()};
    KIT_OK(bench.decoder().Process(io, Directive::kRun).status());
    at += io.in_used;
  }
  const uint64_t decoder_kib = bench.compressor().decoder_memory_bytes() / 1024;
  KIT_EXPECT(LookAtProcess().rss_peak_kib - encoded <= decoder_kib + kSlackKib,
             "the decoder took more than it promised");
}

void ManyMachinesAtOnce(Verdict& verdict, Bench& bench) {
  std::vector<std::jthread> threads;
  std::vector<std::string> errors(8);
  for (size_t i = 0; i < errors.size(); ++i) {
    threads.emplace_back([&bench, &error = errors[i], i] {
      const std::string plain = MakeBytes(400'000 + i, i, true);
      auto encoder = bench.compressor().NewEncoder();
      auto decoder = bench.compressor().NewDecoder();
      std::string stored, back;
      if (!encoder.ok() || !decoder.ok()) {
        error = "no machine";
      } else if (const Status s = RunTransform(**encoder, plain, &stored); !s.ok()) {
        error = s.ToString();
      } else if (const Status d = RunTransform(**decoder, stored, &back); !d.ok() || back != plain) {
        error = "different: " + d.ToString();
      }
    });
  }
  threads.clear();
  for (const std::string& error : errors) KIT_EXPECT(error.empty(), error);
}

void ReadOnlyRefusesToEncode(Verdict& verdict, const CompressorFixture& fixture) {
  KIT_ASSIGN(auto compressor, fixture.open());
  if (compressor->traits().encode) return verdict.Skip("it writes");
  KIT_EXPECT(compressor->NewEncoder().status().code() == Code::kNotSupported,
             "an encoder of a format that is only read");
  KIT_ASSIGN(auto decoder, compressor->NewDecoder());
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::string back;
    KIT_OK(decoder->Reset());
    const Status status = RunTransform(*decoder, MakeBytes(seed * 5, seed, false), &back);
    KIT_EXPECT(!status.ok() && IsRefusal(status), "noise gives " + status.ToString());
  }
}

}  // namespace

std::vector<Check> CompressorSuite(CompressorFixture fixture) {
  std::vector<Check> suite;
  const auto add = [&suite, &fixture](std::string name, int level, Body body) {
    suite.push_back({"compressor/" + std::move(name), level, [fixture, body = std::move(body)](Verdict& verdict) {
                       Bench bench(fixture, verdict);
                       if (bench.ok) body(verdict, bench);
                     }});
  };
  add("round_trips", 1, CompressorRoundTrips);
  add("one_byte_buffers", 1, OneByteStreams);
  add("random_splits", 1, RandomSplits);
  add("flush_makes_all_decodable", 1, FlushMakesAllDecodable);
  add("every_truncation_is_refused", 1, EveryCutStreamIsRefused);
  add("no_bit_flip_gives_wrong_bytes", 1,
      [detects = fixture.detects_damage](Verdict& v, Bench& b) { NoBitFlipGivesWrongBytes(v, b, detects); });
  add("bytes_after_the_end_are_refused", 1, BytesAfterTheStreamAreRefused);
  add("noise_is_refused", 1, NoiseIsRefused);
  add("streams_in_a_row_decode", 1, StreamsInARowDecode);
  add("reset_gives_a_fresh_machine", 1, ResetGivesAFreshMachine);
  suite.push_back(
      {"compressor/read_only_refuses_to_encode", 1, [fixture](Verdict& v) { ReadOnlyRefusesToEncode(v, fixture); }});
  add("memory_stays_within_its_promise", 2, MemoryStaysWithinItsPromise);
  add("many_machines_at_once", 2, ManyMachinesAtOnce);
  return suite;
}

}  // namespace walrig::conformance
