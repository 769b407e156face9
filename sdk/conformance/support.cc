// SPDX-License-Identifier: MIT-0
#include "sdk/conformance/support.h"

#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <fstream>
#include <iterator>

extern char** environ;

namespace walrig::conformance {
namespace {

class SilentLog final : public Log {
 public:
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, std::string_view) override {}
};

class SteadyClock final : public Clock {
 public:
  int64_t WallNs() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  uint64_t MonotonicNs() const override {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
  }
  void SleepNs(uint64_t ns, int stop_fd) override {
    pollfd wait{stop_fd, POLLIN, 0};
    ::poll(&wait, stop_fd >= 0 ? 1 : 0, static_cast<int>(ns / 1'000'000));
  }
};

size_t CountEntries(const char* directory) {
  size_t count = 0;
  if (DIR* dir = opendir(directory)) {
    while (readdir(dir) != nullptr) ++count;
    closedir(dir);
  }
  return count;
}

}  // namespace

KitContext::KitContext() {
  static SilentLog log;
  static SteadyClock clock;
  stop_.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  context_.stop = StopToken(&stop_);
  context_.log = &log;
  context_.clock = &clock;
}

KitContext::~KitContext() {
  if (stop_.fd >= 0) close(stop_.fd);
}

void KitContext::RequestStop() {
  stop_.requested = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = write(stop_.fd, &one, sizeof one);
}

std::string MakeBytes(size_t size_bytes, uint64_t seed, bool compressible) {
  std::mt19937_64 random(seed);
  std::string bytes;
  bytes.reserve(size_bytes + 32);
  while (bytes.size() < size_bytes) {
    const uint64_t word = random();
    if (compressible) {
      bytes += "row " + std::to_string(word % 1000) + " of table " + std::to_string(word % 7) + "\n";
    } else {
      bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
  }
  bytes.resize(size_bytes);
  return bytes;
}

Status PutBytes(const Context& ctx, Storage& storage, const std::string& key, std::string_view bytes,
                PutOptions options, size_t piece_bytes) {
  WALRIG_ASSIGN(auto sink, storage.Put(ctx, key, options));
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    WALRIG_TRY(sink->Write(ctx, AsBytes(bytes.substr(at, piece_bytes))));
  }
  return sink->Commit(ctx);
}

Result<std::string> GetBytes(const Context& ctx, Storage& storage, const std::string& key, const GetOptions& options,
                             size_t piece_bytes) {
  WALRIG_ASSIGN(auto source, storage.Get(ctx, key, options));
  std::string all;
  Buffer buffer(piece_bytes);
  for (;;) {
    WALRIG_ASSIGN(const size_t got, source->Read(ctx, buffer.span()));
    if (got == 0) return all;
    if (got > piece_bytes) return Internal("a read gave more bytes than the buffer has");
    all.append(AsText(buffer.first(got)));
  }
}

Result<std::vector<ObjectInfo>> ListKeys(const Context& ctx, Storage& storage, ListOptions options) {
  std::vector<ObjectInfo> all;
  for (size_t pages = 0; pages < 100'000; ++pages) {
    WALRIG_ASSIGN(ListPage page, storage.List(ctx, options));
    std::move(page.entries.begin(), page.entries.end(), std::back_inserter(all));
    if (page.next_page_token.empty()) return all;
    if (page.next_page_token == options.page_token) return ProtocolError("a page's token leads to the same page");
    options.page_token = page.next_page_token;
  }
  return ProtocolError("the pages do not come to an end");
}

Status RunTransform(Transform& transform, std::string_view in, std::string* out, size_t in_piece, size_t out_piece,
                    size_t out_max) {
  Buffer buffer(out_piece);
  size_t at = 0;
  for (size_t idle = 0;;) {
    const size_t give = std::min(in_piece, in.size() - at);
    const Directive directive = at + give == in.size() ? Directive::kFinish : Directive::kRun;
    TransformIo io{.in = AsBytes(in.substr(at, give)), .out = buffer.span()};
    WALRIG_ASSIGN(const Progress progress, transform.Process(io, directive));
    if (io.in_used > give || io.out_used > out_piece) return Internal("process used more than it was given");
    out->append(AsText(buffer.first(io.out_used)));
    at += io.in_used;
    if (out->size() > out_max) return TooLarge("more output than the check allows");
    if (progress == Progress::kEnd) {
      return directive == Directive::kFinish && at == in.size() ? OkStatus() : Internal("END before the input ended");
    }
    idle = io.in_used == 0 && io.out_used == 0 ? idle + 1 : 0;
    if (idle > 3) return Internal("process makes no progress");
  }
}

ProcessState LookAtProcess() {
  ProcessState state;
  state.fds = CountEntries("/proc/self/fd");
  state.threads = CountEntries("/proc/self/task");
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const auto value = [&line] { return line.substr(line.find(':') + 1); };
    if (line.starts_with("VmRSS:")) state.rss_kib = std::stoull(value());
    if (line.starts_with("VmHWM:")) state.rss_peak_kib = std::stoull(value());
    if (line.starts_with("SigIgn:") || line.starts_with("SigCgt:") || line.starts_with("SigBlk:"))
      state.dispositions += line + "\n";
  }
  char directory[4096] = {};
  if (getcwd(directory, sizeof directory) != nullptr) state.working_directory = directory;
  const char* locale = std::setlocale(LC_ALL, nullptr);
  state.locale = locale != nullptr ? locale : "";
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    state.environment += std::string(*entry) + "\n";
  state.umask_bits = umask(077);
  umask(state.umask_bits);
  return state;
}

}  // namespace walrig::conformance
