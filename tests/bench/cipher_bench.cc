// cipher_bench: how fast cipher gcrypt seals and opens, beside what libgcrypt itself does with blocks of 64 KiB; and a way
// for other programs to seal and open with it.
//
//   cipher_bench bench [MiB]            a table on standard output
//   cipher_bench seal|open KEYFILE      standard input to standard output; exit 1 with a message when it fails
//   cipher_bench seal|open pass:WORDS
#include <gcrypt.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "plugins/cipher/gcrypt/opener.h"
#include "plugins/cipher/gcrypt/sealer.h"

namespace walrig::gcrypt {
namespace {

double Seconds(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// As the core does it: pieces of 128 KiB in, which were just read and lie in the cache, and a buffer of 144 KiB out that is
// taken when less than 72 KiB are free. Answers the CPU seconds within the machine.
Result<double> Pump(Transform& machine, ByteSpan in, std::string* out) {
  std::vector<uint8_t> piece(kIoBufferBytes), buffer(144 * 1024);
  size_t filled = 0;
  double seconds = 0;
  for (;;) {
    const size_t count = std::min(piece.size(), in.size());
    std::copy_n(in.begin(), count, piece.begin());
    in = in.subspan(count);
    ByteSpan part = ByteSpan(piece).first(count);
    const Directive directive = in.empty() ? Directive::kFinish : Directive::kRun;
    for (bool more = true; more;) {
      TransformIo io{.in = part, .out = MutableByteSpan(buffer).subspan(filled)};
      const double begin = Seconds(CLOCK_THREAD_CPUTIME_ID);
      WALRIG_ASSIGN(const Progress progress, machine.Process(io, directive));
      seconds += Seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
      part = part.subspan(io.in_used);
      filled += io.out_used;
      if (buffer.size() - filled < 72 * 1024 || progress == Progress::kEnd) {
        if (out != nullptr) out->append(reinterpret_cast<const char*>(buffer.data()), filled);
        filled = 0;
      }
      if (progress == Progress::kEnd) return seconds;
      more = !part.empty() || progress == Progress::kNeedOutput || directive == Directive::kFinish;
    }
  }
}

// libgcrypt alone, as its own benchmarks do it: one block that stays in the cache, a nonce and a tag for each turn.
struct RawGcm {
  static constexpr size_t kBlock = 64 * 1024;
  gcry_cipher_hd_t handle = nullptr;
  uint8_t iv[12] = {}, tag[kTagBytes] = {};
  std::vector<uint8_t> plain, sealed;

  RawGcm() : plain(kBlock, 3), sealed(kBlock) {
    const std::vector<uint8_t> key(32, 7);
    gcry_cipher_open(&handle, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0);
    gcry_cipher_setkey(handle, key.data(), key.size());
  }
  ~RawGcm() { gcry_cipher_close(handle); }

  double SealSeconds(size_t blocks) {
    const double begin = Seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < blocks; ++i) {
      gcry_cipher_setiv(handle, iv, sizeof iv);
      gcry_cipher_final(handle);
      gcry_cipher_encrypt(handle, sealed.data(), kBlock, plain.data(), kBlock);
      gcry_cipher_gettag(handle, tag, kTagBytes);
    }
    return Seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
  }
  double OpenSeconds(size_t blocks) {
    const double begin = Seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < blocks; ++i) {
      gcry_cipher_setiv(handle, iv, sizeof iv);
      gcry_cipher_final(handle);
      gcry_cipher_decrypt(handle, plain.data(), kBlock, sealed.data(), kBlock);
      if (gcry_cipher_checktag(handle, tag, kTagBytes) != 0) std::abort();
    }
    return Seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
  }
};

Result<std::unique_ptr<Keys>> KeysFrom(const std::string& text) {
  if (text.rfind("pass:", 0) == 0) {
    WALRIG_ASSIGN(SecretBytes passphrase, SecretBytes::CopyOf(AsBytes(std::string_view(text).substr(5))));
    return std::make_unique<Keys>(KeyRing(), std::move(passphrase));
  }
  std::ifstream file(text, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  WALRIG_ASSIGN(KeyRing ring, KeyRing::Parse(content, text));
  return std::make_unique<Keys>(std::move(ring), SecretBytes());
}

Status Bench(size_t mib) {
  std::vector<uint8_t> plain(mib << 20);
  for (size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
  KeyRing ring;
  WALRIG_ASSIGN(SecretBytes secret, SecretBytes::New(32));
  WALRIG_ASSIGN(Key key, NewKey(KeyKind::kSymmetric, std::move(secret), "-"));
  const KeyId id = key.id;
  WALRIG_TRY(ring.Add(std::move(key)));
  WALRIG_TRY(ring.SetWriters({id}));
  Keys keys(std::move(ring), SecretBytes());
  const auto rate = [&](double seconds) { return static_cast<double>(mib) / seconds; };
  RawGcm gcm;
  double raw[2] = {1e9, 1e9}, seal[2] = {1e9, 1e9}, open[2] = {1e9, 1e9};
  for (int round = 0; round < 7; ++round) {
    raw[0] = std::min(raw[0], gcm.SealSeconds(plain.size() / RawGcm::kBlock));
    raw[1] = std::min(raw[1], gcm.OpenSeconds(plain.size() / RawGcm::kBlock));
    for (size_t which = 0; which < 2; ++which) {
      std::string sealed;
      sealed.reserve(plain.size() + plain.size() / 1000 + 4096);
      const SealOptions options{.algorithm = which == 0 ? Algorithm::kAes256Gcm : Algorithm::kChaCha20Poly1305};
      WALRIG_ASSIGN(auto sealer, NewSealer(keys, options));
      WALRIG_ASSIGN(const double sealing, Pump(*sealer, plain, nullptr));
      seal[which] = std::min(seal[which], sealing);
      WALRIG_TRY(sealer->Reset());
      WALRIG_TRY(Pump(*sealer, plain, &sealed).status());
      const auto opener = NewOpener(keys);
      WALRIG_ASSIGN(const double opening, Pump(*opener, AsBytes(sealed), nullptr));
      open[which] = std::min(open[which], opening);
    }
  }
  std::printf("what                              MiB/s of CPU   of libgcrypt\n");
  std::printf("libgcrypt encrypt AES-256-GCM     %12.0f   %10.1f %%\n", rate(raw[0]), 100.0);
  std::printf("libgcrypt decrypt AES-256-GCM     %12.0f   %10.1f %%\n", rate(raw[1]), 100.0);
  std::printf("cipher gcrypt seal aes-256-gcm    %12.0f   %10.1f %%\n", rate(seal[0]), 100 * raw[0] / seal[0]);
  std::printf("cipher gcrypt open aes-256-gcm    %12.0f   %10.1f %%\n", rate(open[0]), 100 * raw[1] / open[0]);
  std::printf("cipher gcrypt seal chacha20       %12.0f   %10.1f %%\n", rate(seal[1]), 100 * raw[0] / seal[1]);
  std::printf("cipher gcrypt open chacha20       %12.0f   %10.1f %%\n", rate(open[1]), 100 * raw[1] / open[1]);
  return OkStatus();
}

Status Filter(bool seal, const std::string& key) {
  WALRIG_ASSIGN(const auto keys, KeysFrom(key));
  std::vector<uint8_t> in;
  uint8_t buffer[65536];
  for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) in.insert(in.end(), buffer, buffer + got);
  std::string out;
  if (seal) {
    SealOptions options;
    if (const char* algorithm = std::getenv("CIPHER_BENCH_ALGORITHM"); algorithm != nullptr && *algorithm == 'c') {
      options.algorithm = Algorithm::kChaCha20Poly1305;
    }
    if (const char* kdf = std::getenv("CIPHER_BENCH_KDF"); kdf != nullptr && *kdf == 's') options.kdf = KdfKind::kScrypt;
    WALRIG_ASSIGN(auto sealer, NewSealer(*keys, options));
    WALRIG_TRY(Pump(*sealer, in, &out).status());
  } else {
    WALRIG_TRY(Pump(*NewOpener(*keys), in, &out).status());
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return OkStatus();
}

}  // namespace
}  // namespace walrig::gcrypt

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  walrig::Status status = walrig::gcrypt::StartLibrary();
  if (status.ok() && verb == "bench") {
    status = walrig::gcrypt::Bench(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256);
  } else if (status.ok() && (verb == "seal" || verb == "open") && argc == 3) {
    status = walrig::gcrypt::Filter(verb == "seal", argv[2]);
  } else if (status.ok()) {
    status = walrig::InvalidArgument("cipher_bench bench [MiB] | seal KEY | open KEY");
  }
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
