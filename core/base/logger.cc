#include "core/base/logger.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/owner.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"

// fmt and one write() are all that a line needs. spdlog starts as fast (measured), but blotting, escaping and both line
// forms would each be a formatter or sink of our own inside it: more code than this file, and a registry of globals.

namespace walrig {
namespace {

// WAL-G has no trace level.
std::string_view HeadOf(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarning:
      return "WARNING";
    case LogLevel::kError:
      return "ERROR";
  }
  return "ERROR";
}

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string JsonLine(int64_t now_ns, LogLevel level, std::string_view area, std::string_view text) {
  Json line = Json::object();
  line["time"] = FormatRfc3339Nano(now_ns / 1000 * 1000);
  line["level"] = NameOf(level);
  line["area"] = area;
  line["message"] = text;
  return DumpJson(line) + '\n';
}

}  // namespace

Logger::Logger(const Options& options)
    : level_(options.level),
      json_(options.json),
      clock_(options.clock != nullptr ? options.clock : &RealClock()),
      fd_(options.fd) {}

Result<std::unique_ptr<Logger>> Logger::Open(const Options& options) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND;
  Result<Fd> file = OpenFd(options.path, flags | O_EXCL, 0644);
  if (file.ok()) {
    const size_t slash = options.path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : options.path.substr(0, slash + 1);
    const Result<Fd> opened = OpenFd(folder, O_RDONLY | O_DIRECTORY);
    if (opened.ok()) GiveToOwnerOf(opened->get(), file->get());
  } else if (file.status().code() == Code::kAlreadyExists) {
    file = OpenFd(options.path, flags, 0644);
  }
  if (!file.ok()) return std::move(file).status().With("log");
  Options with_fd = options;
  with_fd.fd = file->get();
  auto logger = std::make_unique<Logger>(with_fd);
  logger->file_ = std::move(file).value();
  return logger;
}

void Logger::RegisterSecret(std::string secret) {
  if (secret.empty()) return;
  std::lock_guard lock(mutex_);
  if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
  // Longest first: a short secret inside a long one must not leave the rest of it behind.
  auto place = std::find_if(secrets_.begin(), secrets_.end(),
                            [&](const std::string& other) { return other.size() < secret.size(); });
  secrets_.insert(place, std::move(secret));
}

namespace {

// Shorter ones are parts of ordinary words.
constexpr size_t kSecretBytesMin = 4;

bool IsWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

// Whether `text` has at `at`, for `length` bytes, what follows a mark of a value and ends with it.
bool IsValue(std::string_view text, size_t at, size_t length) {
  constexpr std::string_view kMarks = "=:'\"`";
  if (at == 0 || kMarks.find(text[at - 1]) == std::string_view::npos) return false;
  return at + length == text.size() || !IsWordByte(text[at + length]);
}

}  // namespace

std::string Logger::Blotted(std::string_view text) const {
  std::string blotted(text);
  for (const std::string& secret : secrets_) {
    for (size_t at = blotted.find(secret); at != std::string::npos; at = blotted.find(secret, at)) {
      if (secret.size() < kSecretBytesMin && !IsValue(blotted, at, secret.size())) {
        ++at;
        continue;
      }
      blotted.replace(at, secret.size(), "***");
      at += 3;
    }
  }
  return blotted;
}

void Logger::Write(LogLevel level, std::string_view area, std::string_view text) {
  if (!Enabled(level)) return;
  std::string message;
  {
    std::lock_guard lock(mutex_);
    message = Blotted(text);
  }
  const int64_t now_ns = clock_->WallNs();
  std::string line =
      json_ ? JsonLine(now_ns, level, area, message)
            : fmt::format("{}: {} {}\n", HeadOf(level), FormatLogTime(now_ns), Printable(message, SIZE_MAX));
  WriteAll(fd_, AsBytes(line), "log").Ignore("a full or closed log must not fail the job");
}

}  // namespace walrig
