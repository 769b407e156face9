// SPDX-License-Identifier: MIT-0
// Checks of uploads that have no end: they are found, they can be removed, and ended ones leave none.
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/conformance/storage_bench.h"

namespace walrig::conformance {
namespace {

constexpr uint64_t kBudgetBytes = 8u << 20;
constexpr size_t kPieces = 40;  // of 1 MiB: with the budget, a part must be on its way

// All uploads of exactly this key: some S3 servers list them by whole keys only.
Result<std::vector<UnfinishedUpload>> UploadsOf(StorageBench& bench, const std::string& key) {
  std::vector<UnfinishedUpload> uploads;
  std::string token;
  for (int pages = 0; pages < 1000; ++pages) {
    WALRIG_ASSIGN(UnfinishedPage page, bench.storage().ListUnfinished(bench.ctx(), key, token));
    for (UnfinishedUpload& upload : page.entries) uploads.push_back(std::move(upload));
    token = std::move(page.next_page_token);
    if (token.empty()) return uploads;
  }
  return Internal("the pages of unfinished uploads do not end");
}

Result<std::unique_ptr<Sink>> Begin(const Context& ctx, Storage& storage, const std::string& key) {
  WALRIG_ASSIGN(std::unique_ptr<Sink> sink, storage.Put(ctx, key, {.memory_budget_bytes = kBudgetBytes}));
  const std::string piece = MakeBytes(1 << 20, 1, false);
  for (size_t i = 0; i < kPieces; ++i) WALRIG_TRY(sink->Write(ctx, AsBytes(piece)));
  return sink;
}

void EndedUploadsLeaveNothing(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().unfinished) return verdict.Skip("unfinished is not claimed");
  for (const bool commit : {true, false}) {
    const std::string key = bench.Key(commit ? "committed" : "aborted");
    KIT_ASSIGN(auto sink, Begin(bench.ctx(), bench.storage(), key));
    if (commit) {
      KIT_OK(sink->Commit(bench.ctx()));
    } else {
      sink->Abort();
    }
    sink.reset();
    KIT_ASSIGN(const auto left, UploadsOf(bench, key));
    // Some services have no call that drops what is not visible: then the driver's page says when it goes.
    const std::string found = key + " left " + std::to_string(left.size()) + " unfinished uploads";
    if (!commit && !left.empty()) return verdict.Warn(found);
    KIT_EXPECT(left.empty(), found);
  }
}

// A process that begins an upload and ends as by kill -9.
Status LeaveUpload(StorageBench& bench, const std::string& key) {
  const pid_t child = ::fork();
  if (child < 0) return Internal("fork failed");
  if (child == 0) {
    KitContext context;
    auto storage = bench.fixture().open();
    if (!storage.ok()) ::_exit(1);
    const auto sink = Begin(context, **storage, key);
    ::_exit(sink.ok() ? 0 : 2);
  }
  int how = 0;
  if (::waitpid(child, &how, 0) != child || !WIFEXITED(how) || WEXITSTATUS(how) != 0) {
    return Internal("the process that was to leave an upload ended with " + std::to_string(how));
  }
  return OkStatus();
}

Status AbortAll(StorageBench& bench, const std::vector<UnfinishedUpload>& uploads) {
  std::vector<Status> each;
  WALRIG_TRY(bench.storage().AbortUnfinished(bench.ctx(), uploads, &each));
  if (each.size() != uploads.size()) return Internal("AbortUnfinished answered for another number of uploads");
  for (const Status& status : each) WALRIG_TRY(status);
  return OkStatus();
}

void AnUploadWithoutAnEndIsFoundAndRemoved(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().unfinished) return verdict.Skip("unfinished is not claimed");
  const std::string key = bench.Key("folder/unfinished");
  KIT_ASSIGN(auto sink, Begin(bench.ctx(), bench.storage(), key));
  KIT_ASSIGN(auto uploads, UploadsOf(bench, key));
  const bool told_while_alive = !uploads.empty();
  if (!told_while_alive) {
    sink.reset();
    KIT_OK(LeaveUpload(bench, key));
    KIT_ASSIGN(uploads, UploadsOf(bench, key));
  }
  KIT_EXPECT(uploads.size() == 1, std::to_string(uploads.size()) + " unfinished uploads are listed, and there is 1");
  KIT_EXPECT(uploads[0].key == key, "the upload is said to be of " + uploads[0].key);
  KIT_EXPECT(!uploads[0].id.empty(), "the upload has no id");
  KIT_EXPECT(!bench.Has("folder/unfinished"), "an unfinished upload is an object");
  KIT_ASSIGN(const auto names, bench.Names());
  KIT_EXPECT(names.empty(), "an unfinished upload is listed as the object " + names.front());
  KIT_OK(AbortAll(bench, uploads));
  KIT_ASSIGN(const auto left, UploadsOf(bench, key));
  KIT_EXPECT(left.empty(), "a removed upload is listed still");
  KIT_OK(AbortAll(bench, uploads));  // what is gone counts as removed
  if (told_while_alive) {
    KIT_EXPECT(!sink->Commit(bench.ctx()).ok(), "an upload was committed after it had been removed");
    sink.reset();
  }
  KIT_EXPECT(!bench.Has("folder/unfinished"), "a removed upload became an object");
}

void NoUploadsIsAnEmptyPage(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().unfinished) return verdict.Skip("unfinished is not claimed");
  KIT_OK(bench.Put("object", "x"));
  KIT_ASSIGN(const auto none, UploadsOf(bench, bench.Key("nothing/here")));
  KIT_EXPECT(none.empty(), "a prefix of nothing has unfinished uploads");
  KIT_ASSIGN(const auto finished, UploadsOf(bench, bench.Key("object")));
  KIT_EXPECT(finished.empty(), "a finished object is listed as an unfinished upload");
}

}  // namespace

std::vector<StorageCheck> StorageUnfinishedChecks() {
  return {
      {"no_uploads_is_an_empty_page", 1, NoUploadsIsAnEmptyPage},
      {"ended_uploads_leave_nothing", 1, EndedUploadsLeaveNothing},
      {"an_upload_without_an_end_is_found_and_removed", 1, AnUploadWithoutAnEndIsFoundAndRemoved},
  };
}

}  // namespace walrig::conformance
