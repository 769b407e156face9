// Answers: the service's documents as values. All of it is foreign text.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig::azure {

struct ListAnswer {
  std::vector<ObjectInfo> blobs;  // keys are whole names; folders of a hierarchical namespace are left out
  std::vector<std::string> prefixes;
  std::string next_marker;  // "" ends
};
// Of List Blobs. FAILS WITH: kProtocol.
Result<ListAnswer> ParseListAnswer(std::string_view xml);

struct UncommittedBlock {
  std::string id;
  uint64_t size_bytes = 0;
};
// The uncommitted blocks of Get Block List. FAILS WITH: kProtocol.
Result<std::vector<UncommittedBlock>> ParseUncommittedBlocks(std::string_view xml);

struct BatchPart {
  size_t content_id = 0;
  int status = 0;
  std::string error_name;  // x-ms-error-code
  std::string request_id;
};
// The parts of a batch's answer, in any order. `content_type` is the header with the boundary. FAILS WITH: kProtocol.
Result<std::vector<BatchPart>> ParseBatchAnswer(std::string_view content_type, std::string_view body);

}  // namespace walrig::azure
