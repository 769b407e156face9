#include "plugins/storage/azure/answers.h"

#include <algorithm>

#include "plugins/common/http/document.h"
#include "plugins/common/http/request.h"
#include "plugins/common/http/text.h"

namespace walrig::azure {
namespace {

// Names with characters that XML cannot hold come percent-encoded, marked so.
std::string NameIn(const pugi::xml_node& entry) {
  for (const pugi::xml_node& child : entry.children()) {
    if (!http::XmlIs(child, "Name")) continue;
    const std::string text = child.text().get();
    return std::string_view(child.attribute("Encoded").value()) == "true" ? http::PercentDecode(text) : text;
  }
  return {};
}

pugi::xml_node ChildOf(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& child : parent.children()) {
    if (http::XmlIs(child, name)) return child;
  }
  return {};
}

// Lists give etags without the quotes that headers have.
std::string Quoted(std::string etag) {
  return etag.empty() || etag.front() == '"' || etag.starts_with("W/") ? etag : '"' + etag + '"';
}

Status AddBlob(const pugi::xml_node& entry, ListAnswer* answer) {
  ObjectInfo info;
  info.key = NameIn(entry);
  if (info.key.empty()) return ProtocolError("the list has a blob without a name");
  const pugi::xml_node properties = ChildOf(entry, "Properties");
  if (http::XmlText(properties, "ResourceType") == "directory") return OkStatus();
  const Result<uint64_t> size = http::ParseDecimal(http::XmlText(properties, "Content-Length"));
  if (!size.ok()) return ProtocolError("the list has a blob without a size");
  info.size_bytes = *size;
  info.etag = Quoted(http::XmlText(properties, "Etag"));
  const Result<int64_t> time = http::ParseHttpDate(http::XmlText(properties, "Last-Modified"));
  if (time.ok()) info.mtime_ns = *time;
  answer->blobs.push_back(std::move(info));
  return OkStatus();
}

std::string_view LineOf(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "Name: value"; false at the empty line that ends headers, or at the end.
bool HeaderOf(std::string_view* text, std::string_view* name, std::string_view* value) {
  if (text->empty()) return false;
  const std::string_view line = LineOf(text);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  *name = line.substr(0, colon);
  *value = line.substr(colon + 1);
  while (value->starts_with(' ')) value->remove_prefix(1);
  return true;
}

Result<BatchPart> ParsePart(std::string_view text) {
  BatchPart part;
  bool numbered = false;
  std::string_view name, value;
  while (HeaderOf(&text, &name, &value)) {
    if (!SameHeaderName(name, "Content-ID")) continue;
    WALRIG_ASSIGN(part.content_id, http::ParseDecimal(value));
    numbered = true;
  }
  std::string_view line = LineOf(&text);
  const size_t blank = line.find(' ');
  if (!numbered || !line.starts_with("HTTP/") || blank == std::string_view::npos) {
    return ProtocolError("a part of the batch's answer is none");
  }
  line.remove_prefix(blank + 1);
  const Result<uint64_t> status = http::ParseDecimal(line.substr(0, line.find(' ')));
  if (!status.ok() || *status < 100 || *status > 999) return ProtocolError("a part of the batch's answer has no status");
  part.status = static_cast<int>(*status);
  while (HeaderOf(&text, &name, &value)) {
    if (SameHeaderName(name, "x-ms-error-code")) part.error_name = value;
    if (SameHeaderName(name, "x-ms-request-id")) part.request_id = value;
  }
  return part;
}

Result<std::string> BoundaryOf(std::string_view content_type) {
  const size_t at = content_type.find("boundary=");
  if (at == std::string_view::npos) return ProtocolError("the batch's answer has no boundary");
  std::string_view boundary = content_type.substr(at + 9);
  boundary = boundary.substr(0, boundary.find(';'));
  if (boundary.size() >= 2 && boundary.front() == '"' && boundary.back() == '"') {
    boundary = boundary.substr(1, boundary.size() - 2);
  }
  if (boundary.empty() || boundary.size() > 70) return ProtocolError("the batch's answer has no boundary");
  return "--" + std::string(boundary);
}

}  // namespace

Result<ListAnswer> ParseListAnswer(std::string_view xml) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, http::ParseXml(xml, "the list of blobs", &document));
  if (!http::XmlIs(root, "EnumerationResults")) return ProtocolError("the answer to a list is another document");
  ListAnswer answer;
  for (const pugi::xml_node& entry : ChildOf(root, "Blobs").children()) {
    if (http::XmlIs(entry, "Blob")) {
      WALRIG_TRY(AddBlob(entry, &answer));
    } else if (http::XmlIs(entry, "BlobPrefix")) {
      answer.prefixes.push_back(NameIn(entry));
      if (answer.prefixes.back().empty()) return ProtocolError("the list has a prefix without a name");
    }
  }
  answer.next_marker = http::XmlText(root, "NextMarker");
  return answer;
}

Result<std::vector<UncommittedBlock>> ParseUncommittedBlocks(std::string_view xml) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, http::ParseXml(xml, "the list of blocks", &document));
  if (!http::XmlIs(root, "BlockList")) return ProtocolError("the list of blocks is another document");
  std::vector<UncommittedBlock> blocks;
  for (const pugi::xml_node& entry : ChildOf(root, "UncommittedBlocks").children()) {
    if (!http::XmlIs(entry, "Block")) continue;
    const Result<uint64_t> size = http::ParseDecimal(http::XmlText(entry, "Size"));
    if (!size.ok()) return ProtocolError("the list of blocks has a block without a size");
    blocks.push_back({http::XmlText(entry, "Name"), *size});
  }
  return blocks;
}

Result<std::vector<BatchPart>> ParseBatchAnswer(std::string_view content_type, std::string_view body) {
  WALRIG_ASSIGN(const std::string boundary, BoundaryOf(content_type));
  std::vector<BatchPart> parts;
  size_t at = body.find(boundary);
  while (at != std::string_view::npos) {
    body.remove_prefix(at + boundary.size());
    if (body.starts_with("--")) return parts;
    static_cast<void>(LineOf(&body));
    at = body.find(boundary);
    WALRIG_ASSIGN(BatchPart part, ParsePart(body.substr(0, at)));
    parts.push_back(std::move(part));
  }
  return ProtocolError("the batch's answer ends early");
}

}  // namespace walrig::azure
