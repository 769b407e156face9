#include "plugins/storage/azure/errors.h"

#include <algorithm>

#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"

namespace walrig::azure {
namespace {

struct Meaning {
  std::string_view name;
  Code code;
  bool retryable;
  const char* hint;
};

// Where the name says more than the number.
constexpr Meaning kMeanings[] = {
    {"BlobNotFound", Code::kNotFound, false, ""},
    {"ContainerNotFound", Code::kConfig, false, "create the container; walrig makes none"},
    {"ContainerBeingDeleted", Code::kUnavailable, true, "the container is being deleted"},
    {"ContainerDisabled", Code::kPermission, false, "the container was disabled by an administrator"},
    {"BlobAlreadyExists", Code::kAlreadyExists, false, ""},
    {"BlobArchived", Code::kNotSupported, false, "rehydrate the blob to the Hot or Cool tier"},
    {"BlobBeingRehydrated", Code::kNotSupported, false, "wait until the blob is rehydrated, which takes hours"},
    {"BlobImmutableDueToPolicy", Code::kPermission, false, "an immutability policy or legal hold covers the blob"},
    {"SnapshotsPresent", Code::kConflict, false, ""},
    {"LeaseIdMissing", Code::kPermission, false, "somebody holds a lease on the blob"},
    {"LeaseAlreadyPresent", Code::kPermission, false, "somebody holds a lease on the blob"},
    {"ConditionNotMet", Code::kPreconditionFailed, false, ""},
    {"TargetConditionNotMet", Code::kPreconditionFailed, false, ""},
    {"SourceConditionNotMet", Code::kConflict, true, "the source of the copy was replaced meanwhile"},
    {"CannotVerifyCopySource", Code::kPermission, false, "the service may not read the source of the copy"},
    {"Md5Mismatch", Code::kCorruption, true, "the bytes changed on the way"},
    {"Crc64Mismatch", Code::kCorruption, true, "the bytes changed on the way"},
    // Another writer of the same name committed, which throws away the blocks of all.
    {"InvalidBlockList", Code::kConflict, true, "another writer stored the same object meanwhile"},
    {"InvalidBlobOrBlock", Code::kConflict, true, "another program stores the same object"},
    {"InvalidBlobType", Code::kConflict, false, "the blob is no block blob; another program made it"},
    {"AuthenticationFailed", Code::kUnauthenticated, false,
     "check the key or signature, its end, and the clock of this machine"},
    {"InvalidAuthenticationInfo", Code::kUnauthenticated, false, "check the credentials"},
    {"NoAuthenticationInformation", Code::kUnauthenticated, false, "check the credentials"},
    {"AuthorizationFailure", Code::kUnauthenticated, false,
     "check the key or signature, its end, the account's firewall, and the clock of this machine"},
    {"AuthorizationPermissionMismatch", Code::kPermission, false,
     "the identity needs the role Storage Blob Data Contributor; a signature needs racwdl"},
    {"AccountIsDisabled", Code::kPermission, false, "the storage account is disabled"},
    {"AccountBeingCreated", Code::kUnavailable, true, ""},
    {"ServerBusy", Code::kThrottled, true, ""},
    {"OperationTimedOut", Code::kUnavailable, true, ""},
    {"InternalError", Code::kUnavailable, true, ""},
    {"InsufficientAccountPermissions", Code::kPermission, false, ""},
    {"ResourceNotFound", Code::kNotFound, false, ""},
    {"RequestBodyTooLarge", Code::kTooLarge, false, "AZURE_BLOB_STORE_API_VERSION is too old for blocks of this size"},
    {"InvalidResourceName", Code::kNameInvalid, false, ""},
    {"InvalidUri", Code::kNameInvalid, false, ""},
};

uint32_t WishMs(const HttpHeaders& headers) {
  constexpr uint64_t kHourMs = 3'600'000;
  for (const char* name : {"x-ms-retry-after-ms", "retry-after-ms"}) {
    const Result<uint64_t> ms = http::ParseDecimal(FindHeader(headers, name));
    if (ms.ok()) return static_cast<uint32_t>(std::min(*ms, kHourMs));
  }
  return RetryAfterMs(headers);
}

// Name and message of the XML body.
std::pair<std::string, std::string> FromBody(const HttpResponse& response) {
  pugi::xml_document document;
  const Result<pugi::xml_node> root = http::ParseXml(response.body, "an error", &document);
  if (!root.ok()) return {};
  return {http::XmlText(*root, "Code"), http::XmlText(*root, "Message")};
}

}  // namespace

std::string ErrorName(const HttpResponse& response) {
  if (const std::string_view name = response.Header("x-ms-error-code"); !name.empty()) return std::string(name);
  return response.body.empty() ? std::string() : FromBody(response).first;
}

Status AnswerError(const HttpResponse& response, std::string_view what, bool changes) {
  std::string name(response.Header("x-ms-error-code")), message;
  if (!response.body.empty()) {
    auto [in_body, words] = FromBody(response);
    if (name.empty()) name = std::move(in_body);
    // Two lines follow with the request's id and the time.
    message = words.substr(0, words.find('\n'));
  }
  Status status = HttpStatusError(
      response.status, response.headers,
      {.what = what, .name = name, .message = message, .request_id = response.Header("x-ms-request-id"), .changes = changes});
  Status::Detail detail = status.detail();
  if (detail.retryable) detail.retry_after_ms = std::max(detail.retry_after_ms, WishMs(response.headers));
  for (const Meaning& meaning : kMeanings) {
    if (meaning.name != name) continue;
    detail.retryable = meaning.retryable;
    if (meaning.retryable) detail.retry_after_ms = WishMs(response.headers);
    Status better = Status(meaning.code, std::string(status.message())).WithDetail(std::move(detail));
    return *meaning.hint == '\0' ? better : std::move(better).Hint(meaning.hint);
  }
  // The service names what is missing. Anybody in between answers 404 too, and that is no word about the blob.
  if (response.status == 404) {
    detail.retryable = true;
    return Status(Code::kUnavailable, std::string(status.message())).WithDetail(std::move(detail));
  }
  // An unnamed 409 is of a kind that we do not know: trying again is no cure.
  if (response.status == 409) detail.retryable = false;
  return std::move(status).WithDetail(std::move(detail));
}

}  // namespace walrig::azure
