// The documents of a blob service: lists of blobs, lists of blocks, answers to batches, errors, tokens.
#include "plugins/storage/azure/answers.h"
#include "plugins/storage/azure/block_id.h"
#include "plugins/storage/azure/errors.h"
#include "plugins/storage/azure/token_sources.h"
#include "tests/fuzz/fuzz_support.h"

namespace azure = walrig::azure;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto list = azure::ParseListAnswer(text); list.ok()) {
    for (const walrig::ObjectInfo& blob : list->blobs) {
      if (blob.key.empty() || blob.is_prefix) __builtin_trap();
    }
  }
  if (const auto blocks = azure::ParseUncommittedBlocks(text); blocks.ok()) {
    for (const azure::UncommittedBlock& block : *blocks) static_cast<void>(azure::StartedNs(block.id));
  }
  if (const auto parts = azure::ParseBatchAnswer("multipart/mixed; boundary=b", text); parts.ok()) {
    for (const azure::BatchPart& part : *parts) {
      if (part.status < 100 || part.status > 999) __builtin_trap();
    }
  }
  if (const auto token = azure::ParseTokenAnswer(text, 0); token.ok() && token->text.empty()) __builtin_trap();
  walrig::HttpResponse response;
  response.status = 400;
  response.body = text;
  if (azure::AnswerError(response, "x", true).ok()) __builtin_trap();
  return 0;
}
