#include <cstdint>
#include <cstring>

#include "plugins/storage/ssh/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  walrig::Buffer body(size);
  std::memcpy(body.data(), data, size);
  const walrig::ssh::AnswerPacket answer(std::move(body));
  std::string text;
  std::vector<std::pair<std::string, std::string>> extensions;
  answer.Id().status().Ignore("any");
  answer.ReadStatus(&text).status().Ignore("any");
  answer.ReadHandle().status().Ignore("any");
  answer.ReadAttributes().status().Ignore("any");
  answer.ReadNames().status().Ignore("any");
  answer.ReadVersion(&extensions).status().Ignore("any");
  answer.ReadNumbers(11).status().Ignore("any");
  const auto bytes = answer.ReadData();
  if (bytes.ok() && bytes->size() > size) __builtin_trap();
  return 0;
}
