#include "plugins/storage/s3/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/document.h"
#include "plugins/common/http/text.h"

namespace walrig::s3 {
namespace {

using http::XmlIs;
using http::XmlText;

ErrorAnswer ErrorOf(const pugi::xml_node& root) {
  return {XmlText(root, "Code"), XmlText(root, "Message"), XmlText(root, "Region"), XmlText(root, "RequestId")};
}

Result<pugi::xml_node> Root(std::string_view text, const char* name, pugi::xml_document* document) {
  WALRIG_ASSIGN(const pugi::xml_node root, http::ParseXml(text, "the server's answer", document));
  if (!XmlIs(root, name)) return ProtocolError(fmt::format("the server's answer is no {}", name));
  return root;
}

// Names come percent-encoded where they were asked for so; some servers ignore the wish and say so by silence.
class Names {
 public:
  explicit Names(const pugi::xml_node& root) : encoded_(XmlText(root, "EncodingType") == "url") {}
  std::string Of(const pugi::xml_node& node, const char* child) const {
    std::string text = XmlText(node, child);
    return encoded_ ? http::PercentDecode(text, true) : text;
  }

 private:
  bool encoded_;
};

int64_t TimeOf(const pugi::xml_node& node, const char* child) {
  const Result<int64_t> ns = http::ParseRfc3339Time(XmlText(node, child));
  return ns.ok() ? *ns : kUnknownTime;
}

bool IsTrue(const pugi::xml_node& node, const char* child) { return XmlText(node, child) == "true"; }

}  // namespace

ErrorAnswer ParseError(std::string_view text) {
  pugi::xml_document document;
  const Result<pugi::xml_node> root = Root(text, "Error", &document);
  return root.ok() ? ErrorOf(*root) : ErrorAnswer{};
}

Result<ListAnswer> ParseList(std::string_view text, bool v1) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, Root(text, "ListBucketResult", &document));
  const Names names(root);
  ListAnswer answer;
  for (const pugi::xml_node& node : root.children()) {
    ObjectInfo info;
    if (XmlIs(node, "Contents")) {
      info.key = names.Of(node, "Key");
      const Result<uint64_t> size = http::ParseDecimal(XmlText(node, "Size"));
      if (info.key.empty() || !size.ok()) return ProtocolError("the server lists an object without key or size");
      info.size_bytes = *size;
      info.etag = XmlText(node, "ETag");
      info.mtime_ns = TimeOf(node, "LastModified");
    } else if (XmlIs(node, "CommonPrefixes")) {
      info.key = names.Of(node, "Prefix");
      info.is_prefix = true;
      if (info.key.empty()) return ProtocolError("the server lists a prefix without a name");
    } else {
      continue;
    }
    answer.entries.push_back(std::move(info));
  }
  std::sort(answer.entries.begin(), answer.entries.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  if (!IsTrue(root, "IsTruncated")) return answer;
  answer.next = v1 ? names.Of(root, "NextMarker") : XmlText(root, "NextContinuationToken");
  // Without a delimiter the old call names no next marker: it is the last key.
  if (v1 && answer.next.empty() && !answer.entries.empty()) answer.next = answer.entries.back().key;
  if (answer.next.empty()) return ProtocolError("the server says that there is more, but not where");
  return answer;
}

Result<VersionsAnswer> ParseVersions(std::string_view text) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, Root(text, "ListVersionsResult", &document));
  const Names names(root);
  VersionsAnswer answer;
  for (const pugi::xml_node& node : root.children()) {
    if (XmlIs(node, "Version") || XmlIs(node, "DeleteMarker")) {
      answer.versions.push_back({names.Of(node, "Key"), XmlText(node, "VersionId")});
    }
  }
  answer.more = IsTrue(root, "IsTruncated");
  answer.next_key = names.Of(root, "NextKeyMarker");
  answer.next_id = XmlText(root, "NextVersionIdMarker");
  if (answer.more && answer.next_key.empty()) return ProtocolError("the server says that there is more, but not where");
  return answer;
}

bool ParseVersioning(std::string_view text) {
  pugi::xml_document document;
  const Result<pugi::xml_node> root = Root(text, "VersioningConfiguration", &document);
  return root.ok() && (XmlText(*root, "Status") == "Enabled" || XmlText(*root, "Status") == "Suspended");
}

Result<std::string> ParseUploadId(std::string_view text) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, Root(text, "InitiateMultipartUploadResult", &document));
  std::string id = XmlText(root, "UploadId");
  if (id.empty()) return ProtocolError("the server began an upload without an id");
  return id;
}

Result<UploadsAnswer> ParseUploads(std::string_view text) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, Root(text, "ListMultipartUploadsResult", &document));
  const Names names(root);
  UploadsAnswer answer;
  for (const pugi::xml_node& node : root.children()) {
    if (!XmlIs(node, "Upload")) continue;
    UnfinishedUpload upload;
    upload.key = names.Of(node, "Key");
    upload.id = XmlText(node, "UploadId");
    upload.started_ns = TimeOf(node, "Initiated");
    if (upload.key.empty() || upload.id.empty()) return ProtocolError("the server lists an upload without key or id");
    answer.uploads.push_back(std::move(upload));
  }
  answer.more = IsTrue(root, "IsTruncated");
  answer.next_key = names.Of(root, "NextKeyMarker");
  answer.next_id = XmlText(root, "NextUploadIdMarker");
  if (answer.more && answer.next_key.empty()) return ProtocolError("the server says that there is more, but not where");
  return answer;
}

Result<std::vector<DeleteFailure>> ParseDeleteFailures(std::string_view text) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, Root(text, "DeleteResult", &document));
  std::vector<DeleteFailure> failures;
  for (const pugi::xml_node& node : root.children()) {
    if (XmlIs(node, "Error")) failures.push_back({XmlText(node, "Key"), XmlText(node, "Code"), XmlText(node, "Message")});
  }
  return failures;
}

Result<EtagAnswer> ParseEtag(std::string_view text) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, http::ParseXml(text, "the server's answer", &document));
  EtagAnswer answer;
  if (XmlIs(root, "Error")) {
    answer.error = ErrorOf(root);
    if (answer.error.code.empty()) return ProtocolError("the server answered with an error without a code");
    return answer;
  }
  answer.etag = XmlText(root, "ETag");
  if (answer.etag.empty()) return ProtocolError("the server's answer has no ETag");
  return answer;
}

}  // namespace walrig::s3
