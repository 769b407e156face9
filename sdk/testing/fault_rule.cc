// SPDX-License-Identifier: MIT-0
#include "sdk/testing/fault_rule.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace walrig::faults {
namespace {

struct Name {
  Fault fault;
  std::string_view name;
};
constexpr Name kNames[] = {
    {Fault::kPass, "pass"},
    {Fault::kStatus, "status"},
    {Fault::kErrorIn200, "error-in-200"},
    {Fault::kResetRequest, "reset-request"},
    {Fault::kReset, "reset"},
    {Fault::kDrop, "drop"},
    {Fault::kStall, "stall"},
    {Fault::kStallHead, "stall-head"},
    {Fault::kHalfClose, "half-close"},
    {Fault::kDrip, "drip"},
    {Fault::kTruncate, "truncate"},
    {Fault::kCorrupt, "corrupt"},
    {Fault::kCorruptRequest, "corrupt-request"},
    {Fault::kDuplicate, "duplicate"},
    {Fault::kWrongEtag, "wrong-etag"},
};

Status Wrong(std::string_view word, std::string_view why) {
  return InvalidArgument("fault rule: '" + std::string(word) + "': " + std::string(why));
}

Result<std::string> Unescape(std::string_view word, std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const char* end = text.data() + std::min(text.size(), i + 3);
    const auto [stop, error] = std::from_chars(text.data() + i + 1, end, byte, 16);
    if (error != std::errc() || stop != text.data() + i + 3) return Wrong(word, "% needs two hexadecimal digits");
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

Status ReadNumber(std::string_view word, std::string_view text, uint64_t max, uint64_t* out) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error != std::errc() || stop != text.data() + text.size()) return Wrong(word, "not a number");
  if (*out > max) return Wrong(word, "too large");
  return OkStatus();
}

Status SetField(std::string_view word, std::string_view key, const std::string& value, FaultRule* rule) {
  constexpr uint64_t kAny = UINT64_MAX;
  uint64_t number = 0;
  if (key == "method") return rule->method = value, OkStatus();
  if (key == "target") return rule->target = value, OkStatus();
  if (key == "body") return rule->body = value, OkStatus();
  if (key == "retry-after") return rule->retry_after_s = value, OkStatus();
  if (key == "header") {
    const size_t colon = value.find(':');
    if (colon == std::string::npos || colon == 0) return Wrong(word, "not Name:TEXT");
    rule->header_name = value.substr(0, colon);
    rule->header_text = value.substr(colon + 1);
    return OkStatus();
  }
  if (key == "times" && value == "all") return rule->times = kAlways, OkStatus();
  if (key == "times") return ReadNumber(word, value, kAny, &rule->times);
  if (key == "skip") return ReadNumber(word, value, kAny, &rule->skip);
  if (key == "at") return ReadNumber(word, value, kAny, &rule->at_bytes);
  if (key == "ms") return ReadNumber(word, value, 86'400'000, &rule->stall_ms);
  if (key == "every" || key == "rate") {
    WALRIG_TRY(ReadNumber(word, value, kAny, &number));
    if (number == 0) return Wrong(word, "must not be 0");
    (key == "every" ? rule->every : rule->rate_bytes_s) = number;
    return OkStatus();
  }
  if (key == "status") {
    WALRIG_TRY(ReadNumber(word, value, 599, &number));
    if (number < 200) return Wrong(word, "not a final status of HTTP");
    rule->status = static_cast<uint32_t>(number);
    return OkStatus();
  }
  if (key == "late") {
    WALRIG_TRY(ReadNumber(word, value, 1, &number));
    rule->late = number == 1;
    return OkStatus();
  }
  return Wrong(word, "unknown key");
}

bool SameHeaderName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

bool Fits(const FaultRule& rule, std::string_view method, std::string_view target,
          const std::vector<HttpHeader>& headers) {
  if (!rule.method.empty() && rule.method != method) return false;
  if (target.find(rule.target) == std::string_view::npos) return false;
  if (rule.header_name.empty()) return true;
  return std::any_of(headers.begin(), headers.end(), [&rule](const HttpHeader& header) {
    return SameHeaderName(header.name, rule.header_name) && header.value.find(rule.header_text) != std::string::npos;
  });
}

}  // namespace

std::string_view FaultName(Fault fault) {
  for (const Name& entry : kNames) {
    if (entry.fault == fault) return entry.name;
  }
  return "unknown";
}

Result<FaultRule> ParseFaultRule(std::string_view line) {
  FaultRule rule;
  bool first = true;
  while (!line.empty()) {
    const size_t space = line.find_first_of(" \t\r");
    const std::string_view word = line.substr(0, space);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    if (word.empty()) continue;
    if (first) {
      const auto* found = std::find_if(std::begin(kNames), std::end(kNames),
                                       [word](const Name& entry) { return entry.name == word; });
      if (found == std::end(kNames)) return Wrong(word, "unknown fault");
      rule.fault = found->fault;
      first = false;
      continue;
    }
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) return Wrong(word, "not key=value");
    WALRIG_ASSIGN(const std::string value, Unescape(word, word.substr(equals + 1)));
    WALRIG_TRY(SetField(word, word.substr(0, equals), value, &rule));
  }
  if (first) return Wrong("", "no fault is named");
  return rule;
}

Result<std::vector<FaultRule>> ParseFaultRules(std::string_view text) {
  std::vector<FaultRule> rules;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    WALRIG_ASSIGN(FaultRule rule, ParseFaultRule(line));
    rules.push_back(std::move(rule));
  }
  return rules;
}

void FaultScript::Set(std::vector<FaultRule> rules) {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  for (FaultRule& rule : rules) rules_.push_back({std::move(rule)});
}

void FaultScript::Add(FaultRule rule) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(rule)});
}

FaultRule FaultScript::Judge(std::string_view method, std::string_view target, const std::vector<HttpHeader>& headers,
                             bool* hit) {
  const std::lock_guard lock(mutex_);
  *hit = false;
  for (Counted& counted : rules_) {
    const FaultRule& rule = counted.rule;
    if (!Fits(rule, method, target, headers) || counted.fired >= rule.times) continue;
    const uint64_t number = counted.seen++;
    if (number < rule.skip || (number - rule.skip) % rule.every != 0) continue;
    ++counted.fired;
    *hit = true;
    return rule;
  }
  return {};
}

}  // namespace walrig::faults
