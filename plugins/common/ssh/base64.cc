#include "plugins/common/ssh/base64.h"

#include <cstdint>

namespace walrig::ssh {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    for (size_t j = 0; j < 4; ++j) {
      uint32_t value = 0;
      if (i + j < text.size() - padding) {
        const size_t at = kAlphabet.find(text[i + j]);
        if (at == std::string_view::npos) return std::nullopt;
        value = static_cast<uint32_t>(at);
      }
      group = group << 6 | value;
    }
    for (size_t j = 0; j < 3; ++j) bytes += static_cast<char>(group >> (16 - 8 * j) & 255);
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace walrig::ssh
