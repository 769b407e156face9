#include "plugins/common/http/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace walrig::http {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};  // of 1970-01-01 on

struct Civil {
  int64_t year = 1970;
  int64_t month = 1, day = 1, hour = 0, minute = 0, second = 0;
};

// Days since 1970-01-01 of the proleptic Gregorian calendar, counting years from March.
int64_t DaysOf(int64_t year, int64_t month, int64_t day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t of_era = y - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

Civil CivilOf(int64_t ns) {
  int64_t seconds = ns / kSecondNs - (ns % kSecondNs < 0 ? 1 : 0);
  int64_t days = seconds / 86'400 - (seconds % 86'400 < 0 ? 1 : 0);
  seconds -= days * 86'400;
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t of_era = days - era * 146'097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * of_year + 2) / 153;
  Civil c;
  c.day = of_year - (153 * shifted + 2) / 5 + 1;
  c.month = shifted < 10 ? shifted + 3 : shifted - 9;
  c.year = year_of_era + era * 400 + (c.month <= 2 ? 1 : 0);
  c.hour = seconds / 3600;
  c.minute = seconds / 60 % 60;
  c.second = seconds % 60;
  return c;
}

Result<int64_t> NsOf(const Civil& c, std::string_view text) {
  const bool sane = c.year >= 1970 && c.year <= 2261 && c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31 &&
                    c.hour <= 23 && c.minute <= 59 && c.second <= 60;
  if (!sane) return InvalidArgument(fmt::format("not a moment: {:.40}", text));
  return ((DaysOf(c.year, c.month, c.day) * 24 + c.hour) * 60 + c.minute) * 60 * kSecondNs + c.second * kSecondNs;
}

// Takes `width` digits off the front; -1 when they are not there.
int64_t TakeNumber(std::string_view* text, size_t width) {
  if (text->size() < width) return -1;
  int64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text->remove_prefix(width);
  return value;
}
bool TakeText(std::string_view* text, std::string_view what) {
  if (text->substr(0, what.size()) != what) return false;
  text->remove_prefix(what.size());
  return true;
}
bool TakeField(std::string_view* text, size_t width, std::string_view end, int64_t* into) {
  *into = TakeNumber(text, width);
  return *into >= 0 && TakeText(text, end);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string PercentEncode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() && text[i] == '%' ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string Url::Authority() const { return port == 0 ? host : fmt::format("{}:{}", host, port); }
std::string Url::ToString() const {
  return fmt::format("{}://{}{}{}{}", scheme, Authority(), path, query.empty() ? "" : "?", query);
}

Result<Url> ParseUrl(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return InvalidArgument(fmt::format("not a URL of http or https: {}", why));
  };
  Url url;
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad("no scheme://");
  url.scheme = Lower(text.substr(0, scheme_end));
  if (url.scheme != "http" && url.scheme != "https") return bad("another scheme");
  text.remove_prefix(scheme_end + 3);
  const bool odd = std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f || c == '\\'; });
  if (odd) return bad("white space or a control character");
  const size_t fragment = text.find('#');
  if (fragment != std::string_view::npos) text = text.substr(0, fragment);
  const size_t authority_end = text.find_first_of("/?");
  std::string_view authority = text.substr(0, authority_end);
  std::string_view rest = authority_end == std::string_view::npos ? std::string_view() : text.substr(authority_end);
  if (authority.find('@') != std::string_view::npos) return bad("a user or a password in it");
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const Result<uint64_t> port = ParseDecimal(authority.substr(colon + 1));
    if (!port.ok() || *port == 0 || *port > 65'535) return bad("a port that is none");
    url.port = static_cast<uint16_t>(*port);
    authority = authority.substr(0, colon);
  }
  url.host = Lower(authority);
  if (url.host.empty()) return bad("no host");
  const size_t question = rest.find('?');
  url.path = std::string(rest.substr(0, question));
  if (question != std::string_view::npos) url.query = std::string(rest.substr(question + 1));
  if ((url.scheme == "http" && url.port == 80) || (url.scheme == "https" && url.port == 443)) url.port = 0;
  return url;
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::string HttpDate(int64_t ns) {
  const Civil c = CivilOf(ns);
  const auto weekday = static_cast<size_t>(DaysOf(c.year, c.month, c.day) % 7);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday], c.day,
                     kMonths[static_cast<size_t>(c.month - 1)], c.year, c.hour, c.minute, c.second);
}

Result<int64_t> ParseHttpDate(std::string_view text) {
  const std::string_view whole = text;
  Civil c;
  const size_t comma = text.find(", ");
  if (comma == std::string_view::npos) return InvalidArgument(fmt::format("not a date of HTTP: {:.40}", whole));
  text.remove_prefix(comma + 2);
  bool good = TakeField(&text, 2, " ", &c.day);
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(0, 3));
  good = good && month != kMonths.end();
  c.month = month - kMonths.begin() + 1;
  if (good) text.remove_prefix(3);
  good = good && TakeText(&text, " ") && TakeField(&text, 4, " ", &c.year) && TakeField(&text, 2, ":", &c.hour) &&
         TakeField(&text, 2, ":", &c.minute) && TakeField(&text, 2, " GMT", &c.second) && text.empty();
  if (!good) return InvalidArgument(fmt::format("not a date of HTTP: {:.40}", whole));
  return NsOf(c, whole);
}

std::string BasicIsoTime(int64_t ns) {
  const Civil c = CivilOf(ns);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}
std::string Rfc3339(int64_t ns) {
  const Civil c = CivilOf(ns);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

Result<int64_t> ParseRfc3339Time(std::string_view text) {
  const std::string_view whole = text;
  const Status bad = InvalidArgument(fmt::format("not a moment of RFC 3339: {:.40}", whole));
  Civil c;
  bool good = TakeField(&text, 4, "-", &c.year) && TakeField(&text, 2, "-", &c.month) && TakeField(&text, 2, "", &c.day);
  good = good && (TakeText(&text, "T") || TakeText(&text, "t") || TakeText(&text, " "));
  good = good && TakeField(&text, 2, ":", &c.hour) && TakeField(&text, 2, ":", &c.minute) &&
         TakeField(&text, 2, "", &c.second);
  if (!good) return bad;
  int64_t fraction_ns = 0;
  if (TakeText(&text, ".")) {
    int64_t unit = kSecondNs / 10;
    size_t digits = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
      fraction_ns += (text[0] - '0') * unit;
      unit /= 10;
    }
    if (digits == 0) return bad;
  }
  int64_t offset_minutes = 0;
  if (!TakeText(&text, "Z") && !TakeText(&text, "z")) {
    const bool minus = text.substr(0, 1) == "-";
    int64_t hours = 0, minutes = 0;
    if (!minus && text.substr(0, 1) != "+") return bad;
    text.remove_prefix(1);
    if (!TakeField(&text, 2, ":", &hours)) return bad;
    if (!TakeField(&text, 2, "", &minutes) || hours > 23 || minutes > 59) return bad;
    offset_minutes = (hours * 60 + minutes) * (minus ? -1 : 1);
  }
  if (!text.empty()) return bad;
  WALRIG_ASSIGN(const int64_t ns, NsOf(c, whole));
  return ns + fraction_ns - offset_minutes * 60 * kSecondNs;
}

Result<uint64_t> ParseDecimal(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument("not a decimal number");
  }
  return value;
}

}  // namespace walrig::http
