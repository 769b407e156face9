#include "core/base/time_format.h"

#include <fmt/format.h>
#include <time.h>

#include <chrono>
#include <optional>

namespace walrig {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kSPerDay = 86'400;

struct Moment {
  int64_t seconds;
  int64_t ns;  // 0..999999999, also before 1970
};

Moment SplitNs(int64_t ns) {
  Moment split = {ns / kNsPerSecond, ns % kNsPerSecond};
  if (split.ns < 0) {
    split.ns += kNsPerSecond;
    --split.seconds;
  }
  return split;
}

std::string DateTime(int64_t seconds) {
  int64_t days = seconds / kSPerDay;
  int64_t rest = seconds % kSPerDay;
  if (rest < 0) {
    rest += kSPerDay;
    --days;
  }
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3600,
                     rest / 60 % 60, rest % 60);
}

// Takes pieces off the front of a text; the first piece that does not fit spoils it.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  int Digits(int count, int max) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (text_.empty() || text_[0] < '0' || text_[0] > '9') return Spoil();
      value = value * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
    }
    return value <= max ? value : Spoil();
  }
  char OneOf(std::string_view chars) {
    if (text_.empty() || chars.find(text_[0]) == std::string_view::npos) {
      Spoil();
      return '\0';
    }
    char c = text_[0];
    text_.remove_prefix(1);
    return c;
  }
  // ".123" as nanoseconds; 0 when there is no point.
  int64_t Fraction() {
    if (text_.empty() || text_[0] != '.') return 0;
    text_.remove_prefix(1);
    int64_t value = 0;
    int64_t unit = kNsPerSecond / 10;
    if (text_.empty() || text_[0] < '0' || text_[0] > '9') return Spoil();
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; text_.remove_prefix(1), unit /= 10) {
      value += unit * (text_[0] - '0');
    }
    return value;
  }
  bool Complete() const { return good_ && text_.empty(); }

 private:
  int Spoil() {
    good_ = false;
    return 0;
  }
  std::string_view text_;
  bool good_ = true;
};

std::optional<int64_t> Parse(std::string_view text) {
  Cursor cursor(text);
  int year = cursor.Digits(4, 9999);
  cursor.OneOf("-");
  int month = cursor.Digits(2, 12);
  cursor.OneOf("-");
  int day = cursor.Digits(2, 31);
  cursor.OneOf("Tt ");
  int64_t seconds = cursor.Digits(2, 23) * 3600;
  cursor.OneOf(":");
  seconds += cursor.Digits(2, 59) * 60;
  cursor.OneOf(":");
  seconds += cursor.Digits(2, 59);
  int64_t fraction_ns = cursor.Fraction();
  if (char zone = cursor.OneOf("Zz+-"); zone == '+' || zone == '-') {
    int64_t offset_s = cursor.Digits(2, 23) * 3600;
    cursor.OneOf(":");
    offset_s += cursor.Digits(2, 59) * 60;
    seconds += zone == '+' ? -offset_s : offset_s;
  }
  std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day)));
  if (!cursor.Complete() || !date.ok()) return std::nullopt;
  seconds += std::chrono::sys_days(date).time_since_epoch().count() * kSPerDay;
  // A negative moment is counted from the second after it, so that the first representable second does not overflow.
  if (seconds < 0 && fraction_ns > 0) {
    ++seconds;
    fraction_ns -= kNsPerSecond;
  }
  int64_t ns = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &ns) || __builtin_add_overflow(ns, fraction_ns, &ns)) {
    return std::nullopt;
  }
  return ns;
}

}  // namespace

std::string FormatRfc3339Nano(int64_t ns) {
  Moment split = SplitNs(ns);
  std::string text = DateTime(split.seconds);
  if (split.ns != 0) {
    text += fmt::format(".{:09}", split.ns);
    while (text.back() == '0') text.pop_back();
  }
  return text + 'Z';
}

std::string FormatRfc3339Seconds(int64_t ns) { return DateTime(SplitNs(ns).seconds) + 'Z'; }

std::string FormatLogTime(int64_t ns) {
  Moment split = SplitNs(ns);
  time_t seconds = static_cast<time_t>(split.seconds);
  tm local = {};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:04}/{:02}/{:02} {:02}:{:02}:{:02}.{:06}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec, split.ns / 1000);
}

Result<int64_t> ParseRfc3339(std::string_view text) {
  // The longest meaningful text is far shorter; more is not worth quoting.
  if (std::optional<int64_t> ns = text.size() <= 64 ? Parse(text) : std::nullopt) return *ns;
  return InvalidArgument(fmt::format("not a time: \"{}\"", text.substr(0, 64)))
      .Hint("write it as 2026-01-31T23:59:59Z or with an offset such as +02:00");
}

}  // namespace walrig
