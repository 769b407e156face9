// Settings: the options of the plugin, checked and put into shape.
//
// THREADS: a value.
#pragma once

#include <string>

#include "plugins/common/http/request.h"
#include "plugins/storage/s3/credentials.h"
#include "walrig/sdk/config_reader.h"

namespace walrig::s3 {

// What a delete removes; kAsk: all versions when the bucket keeps versions.
enum class Versions { kNewest, kAll, kAsk };

struct Settings {
  std::string bucket;
  std::string folder;  // "" or "path/": before every key
  std::string region;
  std::string endpoint;  // "" for AWS
  bool path_style = false;
  bool dual_stack = false;
  std::string ca_file, proxy;
  uint64_t connect_timeout_ms = 10'000, stall_timeout_ms = 60'000;
  CredentialOptions credentials;

  std::string storage_class, sse, sse_kms_id, tags, acl;
  std::string sse_c_key;     // 32 bytes
  int64_t retention_s = -1;
  std::string retention_mode;
  bool checksum = true;
  bool put_if_absent = true;
  bool list_v1 = false;
  Versions versions = Versions::kAsk;
  bool expect_continue = true;
  uint64_t delete_batch = 1000;
  uint64_t part_bytes_max = 20u << 20;
  uint64_t concurrency = 16;
  uint64_t copy_part_bytes = 512u << 20;
  HttpHeaders extra_headers;

  // FAILS WITH: kConfig naming the option.
  static Result<Settings> From(const sdk::ConfigReader& config);
};

// "s3://bucket/path", slashes at the ends do not matter. FAILS WITH: kConfig.
Status SplitPrefix(std::string_view prefix, std::string* bucket, std::string* folder);
// A map in JSON, or a list of maps, or lines of "Name: value". FAILS WITH: kConfig.
Result<HttpHeaders> ParseExtraHeaders(std::string_view text);

}  // namespace walrig::s3
