// Deleting in a bucket that keeps versions: each version and mark has to be named, so they are listed first.
#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/storage/s3/storage.h"

namespace walrig::s3 {
namespace {

std::string CommonPrefix(const std::string& a, const std::string& b) {
  return a.substr(0, static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin()));
}

// Goes through the versions of some keys, which are sorted, with few requests. One list runs over many keys where they lie
// close together, as what delete removes mostly does. Where a whole page lies before the next wanted key, that one is asked
// for alone.
class VersionSweep {
 public:
  explicit VersionSweep(const std::map<std::string, size_t>& wanted)
      : wanted_(wanted), next_(wanted.begin()), scope_(wanted.empty() ? "" : CommonPrefix(wanted.begin()->first, wanted.rbegin()->first)) {}

  // The first key whose versions were not all seen.
  std::map<std::string, size_t>::const_iterator next() const { return next_; }
  bool done() const { return next_ == wanted_.end(); }

  S3Request Request() const {
    S3Request request;
    request.query = {{"versions", ""}, {"encoding-type", "url"}, {"prefix", alone_ ? next_->first : scope_}};
    if (!key_marker_.empty()) request.query.emplace_back("key-marker", key_marker_);
    if (!id_marker_.empty()) request.query.emplace_back("version-id-marker", id_marker_);
    request.what = "list versions";
    return request;
  }

  // What of the answer is to be deleted. FAILS WITH: kProtocol when the pages do not end.
  Result<std::vector<VersionsAnswer::Version>> Take(VersionsAnswer answer) {
    if (!alone_ && !InOrder(answer)) {
      // Whether a key was passed cannot be told: each by itself, from the first on.
      never_together_ = alone_ = true;
      next_ = wanted_.begin();
      Mark("", "");
      return std::vector<VersionsAnswer::Version>();
    }
    if (answer.more && answer.next_key == key_marker_ && answer.next_id == id_marker_) {
      return ProtocolError(fmt::format("list versions of {}: the list does not end", next_->first));
    }
    if (alone_) {
      MoveAlone(answer);
    } else {
      MoveTogether(answer);
    }
    std::erase_if(answer.versions, [&](const auto& version) { return !wanted_.contains(version.key); });
    return std::move(answer.versions);
  }

 private:
  // Keys between the marker that was asked with and the one that was given.
  bool InOrder(const VersionsAnswer& answer) const {
    return std::none_of(answer.versions.begin(), answer.versions.end(), [&](const auto& version) {
      return version.key < key_marker_ || (answer.more && version.key > answer.next_key);
    });
  }

  void MoveTogether(const VersionsAnswer& answer) {
    if (!answer.more) {
      next_ = wanted_.end();
      return;
    }
    const auto before = next_;
    next_ = wanted_.lower_bound(answer.next_key);  // of next_key itself there may be more
    Mark(answer.next_key, answer.next_id);
    if (done() || next_ != before || next_->first == answer.next_key) return;
    alone_ = true;
    Mark("", "");
  }

  void MoveAlone(const VersionsAnswer& answer) {
    const std::string& key = next_->first;
    if (answer.more && answer.next_key <= key) return Mark(answer.next_key, answer.next_id);
    alone_ = never_together_;
    Mark(alone_ ? "" : key, "");
    ++next_;
  }

  void Mark(std::string key, std::string id) {
    key_marker_ = std::move(key);
    id_marker_ = std::move(id);
  }

  const std::map<std::string, size_t>& wanted_;
  std::map<std::string, size_t>::const_iterator next_;
  const std::string scope_;
  bool alone_ = false;           // the list is of the next key by itself
  bool never_together_ = false;  // the server's order is none to rely on
  std::string key_marker_, id_marker_;
};

}  // namespace

// What the service says of a single version is its key's fate.
Status S3Storage::DeleteListed(const Context& ctx, const std::vector<VersionsAnswer::Version>& versions,
                               const std::map<std::string, size_t>& places, std::span<Status> each) {
  const size_t batch = client_->settings().delete_batch;
  for (size_t from = 0; from < versions.size(); from += batch) {
    std::string objects;
    for (size_t i = from; i < std::min(from + batch, versions.size()); ++i) {
      objects += fmt::format("<Object><Key>{}</Key><VersionId>{}</VersionId></Object>", http::XmlEscape(versions[i].key),
                             http::XmlEscape(versions[i].id));
    }
    std::vector<DeleteFailure> failures;
    WALRIG_TRY(SendDelete(ctx, objects, &failures).status());
    for (const DeleteFailure& failure : failures) {
      if (failure.code == "NoSuchKey" || failure.code == "NoSuchVersion") continue;
      const ErrorAnswer answer{failure.code, failure.message, "", ""};
      Status status = client_->ErrorStatus(ctx, 400, {}, answer, "delete " + PrintableLine(failure.key), true);
      const auto place = places.find(failure.key);
      if (place == places.end()) return status;
      each[place->second] = std::move(status);
    }
  }
  return OkStatus();
}

// All versions and marks of the keys.
Status S3Storage::DeleteVersions(const Context& ctx, std::span<const std::string> keys, std::span<Status> each) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    // What cannot be held is not there.
    if (CheckKey(client_->settings().folder, keys[i]).ok()) places.emplace(Whole(keys[i]), i);
  }
  for (VersionSweep sweep(places); !sweep.done();) {
    const auto from = sweep.next();
    const auto step = [&]() -> Status {
      WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, sweep.Request()));
      WALRIG_ASSIGN(VersionsAnswer answer, ParseVersions(response.body));
      WALRIG_ASSIGN(const std::vector<VersionsAnswer::Version> versions, sweep.Take(std::move(answer)));
      return DeleteListed(ctx, versions, places, each);
    };
    const Status status = step();
    if (status.ok()) continue;
    if (status.code() == Code::kCancelled) return status;
    // Those before were dealt with; of the others nothing can be said that is better.
    for (auto place = from; place != places.end(); ++place) each[place->second] = status;
    return OkStatus();
  }
  return OkStatus();
}

}  // namespace walrig::s3
