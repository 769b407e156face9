// What S3 answers in XML, as values. All of it is foreign: nothing is believed beyond its form.
//
// THREADS: functions without state. All FAIL WITH kProtocol for what is no such answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig::s3 {

struct ErrorAnswer {
  std::string code, message, region, request_id;
};
// Empty when the text is no <Error>.
ErrorAnswer ParseError(std::string_view text);

struct ListAnswer {
  std::vector<ObjectInfo> entries;  // whole keys of the bucket, sorted as bytes
  std::string next;                 // token or marker; "" at the end
};
// ListObjectsV2 and ListObjects; `v1` says which, since their marks of a next page differ.
Result<ListAnswer> ParseList(std::string_view text, bool v1);

struct VersionsAnswer {
  struct Version {
    std::string key, id;
  };
  std::vector<Version> versions;  // and delete markers
  std::string next_key, next_id;
  bool more = false;
};
Result<VersionsAnswer> ParseVersions(std::string_view text);

// GetBucketVersioning: does the bucket keep versions, or has it once?
bool ParseVersioning(std::string_view text);

Result<std::string> ParseUploadId(std::string_view text);

struct UploadsAnswer {
  std::vector<UnfinishedUpload> uploads;  // whole keys
  std::string next_key, next_id;
  bool more = false;
};
Result<UploadsAnswer> ParseUploads(std::string_view text);

struct DeleteFailure {
  std::string key, code, message;
};
Result<std::vector<DeleteFailure>> ParseDeleteFailures(std::string_view text);

// CompleteMultipartUpload, CopyObject, UploadPartCopy: the ETag; an <Error> within HTTP 200 is told by `error`.
struct EtagAnswer {
  std::string etag;
  ErrorAnswer error;
};
Result<EtagAnswer> ParseEtag(std::string_view text);

}  // namespace walrig::s3
