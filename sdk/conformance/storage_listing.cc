// SPDX-License-Identifier: MIT-0
// Checks of names, lists, deletes and copies.
#include <algorithm>
#include <set>

#include "sdk/conformance/storage_bench.h"

namespace walrig::conformance {
namespace {

void EveryKeyIsListedOnce(Verdict& verdict, StorageBench& bench) {
  std::set<std::string> want;
  for (size_t i = 0; i < bench.fixture().list_keys; ++i) {
    const std::string name = (i % 3 == 0 ? "deep/er/" : i % 3 == 1 ? "deep-" : "") + std::to_string(i * 7919 % 100'003);
    if (want.insert(name).second) KIT_OK(bench.Put(name, "x"));
  }
  for (const uint32_t page : {100u, 1000u, 7u}) {
    if (page == 7 && want.size() > 500) continue;
    KIT_ASSIGN(
        const auto entries,
        ListKeys(bench.ctx(), bench.storage(),
                 {.prefix = bench.prefix(), .delimiter = "", .start_after = "", .page_token = "", .keys_max = page}));
    std::set<std::string> got;
    std::string previous;
    for (const ObjectInfo& entry : entries) {
      KIT_EXPECT(got.insert(entry.key.substr(bench.prefix().size())).second, entry.key + " is listed twice");
      KIT_EXPECT(!bench.can().list_sorted || previous < entry.key,
                 "sorted is claimed, and " + entry.key + " comes after " + previous);
      KIT_EXPECT(entry.size_bytes == 1 && !entry.is_prefix, entry.key + " is listed with a wrong size");
      previous = entry.key;
    }
    KIT_EXPECT(got == want, std::to_string(got.size()) + " keys of " + std::to_string(want.size()) + " are listed");
  }
  if (!bench.can().list_sorted) return;
  const std::string middle = bench.Key(*std::next(want.begin(), static_cast<std::ptrdiff_t>(want.size() / 2)));
  KIT_ASSIGN(
      const auto tail,
      ListKeys(bench.ctx(), bench.storage(),
               {.prefix = bench.prefix(), .delimiter = "", .start_after = middle, .page_token = "", .keys_max = 100}));
  KIT_EXPECT(tail.size() == want.size() - want.size() / 2 - 1,
             "start_after gives " + std::to_string(tail.size()) + " keys");
  for (const ObjectInfo& entry : tail) KIT_EXPECT(entry.key > middle, "start_after gives a key before it");
}

void APrefixIsOfKeysNotOfFolders(Verdict& verdict, StorageBench& bench) {
  for (const char* name : {"ab", "ab/c", "ab/d/e", "abc", "b"})
    KIT_OK(bench.Put(name == std::string("ab") ? "ab-" : name, "x"));
  KIT_ASSIGN(auto names, bench.Names("ab"));
  std::sort(names.begin(), names.end());
  KIT_EXPECT(names == (std::vector<std::string>{"ab-", "ab/c", "ab/d/e", "abc"}),
             "the prefix 'ab' gives " + std::to_string(names.size()) + " keys");
  KIT_ASSIGN(const auto inside, bench.Names("ab/"));
  KIT_EXPECT(inside.size() == 2, "the prefix 'ab/' gives " + std::to_string(inside.size()) + " keys");
  KIT_ASSIGN(const auto nothing, bench.Names("nothing/here/"));
  KIT_EXPECT(nothing.empty(), "a prefix of nothing gives keys");
}

void TheDelimiterCollapses(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().delimiter) return verdict.Skip("delimiter is not claimed");
  for (const char* name : {"one", "two/a", "two/b/c", "two/b/d", "three/x"}) KIT_OK(bench.Put(name, "x"));
  for (const uint32_t page : {1u, 2u, 1000u}) {
    KIT_ASSIGN(
        const auto entries,
        ListKeys(bench.ctx(), bench.storage(),
                 {.prefix = bench.prefix(), .delimiter = "/", .start_after = "", .page_token = "", .keys_max = page}));
    std::multiset<std::string> got;
    for (const ObjectInfo& entry : entries) {
      got.insert(entry.key.substr(bench.prefix().size()));
      KIT_EXPECT(entry.is_prefix == entry.key.ends_with('/'), entry.key + ": is_prefix is wrong");
    }
    KIT_EXPECT(
        got == (std::multiset<std::string>{"one", "three/", "two/"}),
        "a delimited list by pages of " + std::to_string(page) + " has " + std::to_string(got.size()) + " entries");
  }
}

void DeleteTakesManyAndMissing(Verdict& verdict, StorageBench& bench) {
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) {
    keys.push_back(bench.Key("folder/" + std::to_string(i)));
    if (i % 3 != 0) KIT_OK(bench.Put("folder/" + std::to_string(i), "x"));
  }
  KIT_OK(bench.Put("stays", "x"));
  std::vector<Status> each;
  KIT_OK(bench.storage().Delete(bench.ctx(), keys, &each));
  KIT_EXPECT(each.size() == keys.size(), "Delete of 30 keys answers " + std::to_string(each.size()));
  for (const Status& status : each) KIT_OK(Status(status));
  KIT_ASSIGN(const auto names, bench.Names());
  KIT_EXPECT(names == std::vector<std::string>{"stays"},
             "after the delete there are " + std::to_string(names.size()) + " keys");
  KIT_OK(bench.Put("folder/0", "again"));
  KIT_EXPECT(bench.Has("folder/0"), "a deleted name cannot be used again");
}

void CopyCopies(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().copy) return verdict.Skip("copy is not claimed");
  const std::string bytes = MakeBytes(3'000'000, 8, false);
  KIT_OK(bench.Put("from", bytes));
  for (const char* to : {"to", "a/new/folder/to", "to", "from"}) {
    KIT_OK(bench.storage().Copy(bench.ctx(), bench.Key("from"), bench.Key(to)));
    KIT_ASSIGN(const std::string back, bench.Get(to));
    KIT_EXPECT(back == bytes, std::string("the copy '") + to + "' differs");
  }
  KIT_EXPECT(bench.storage().Copy(bench.ctx(), bench.Key("none"), bench.Key("x")).code() == Code::kNotFound,
             "a copy of nothing is not not_found");
  KIT_EXPECT(!bench.Has("x"), "a failed copy left an object");
}

// A name is held exactly, or refused as name_invalid: never changed.
void NastyNamesAreHeldOrRefused(Verdict& verdict, StorageBench& bench) {
  const std::vector<std::string> names = {
      "with space",
      " leading",
      "trailing ",
      "tab\there",
      "new\nline",
      "quote'\"",
      "back\\slash",
      "percent%2Fslash",
      "plus+and&",
      "hash#",
      "question?",
      "star*",
      "colon:",
      "pipe|",
      "dot.",
      ".hidden",
      "..double",
      "a..b",
      "\xc3\xa9 composed",
      "e\xcc\x81 decomposed",
      "\xf0\x9f\x90\x98",
      "\x01\x7f",
      "\xff\xfe not utf-8",
      "CON",
      "lost+found",
      std::string(255, 'n'),
      std::string(256, 'n'),
      std::string(100, 'd') + "/" + std::string(100, 'e') + "/" + std::string(100, 'f'),
      std::string(900, 'k'),
      "~",
      "-dash",
      "/absolute",
      "double//slash",
      "./dot",
      "a/./b",
      "../up",
      "a/../b",
      "trailing/",
      "",
      std::string("nul\0byte", 8)};
  for (const std::string& name : names) {
    std::string shown;
    for (const char c : name.substr(0, 40)) shown += c >= ' ' && c < 127 ? c : '?';
    const Status put = bench.Put(name, "content of " + name);
    if (put.code() == Code::kNameInvalid) continue;
    KIT_EXPECT(put.ok(), "'" + shown + "' is neither held nor name_invalid: " + put.ToString());
    KIT_ASSIGN(const std::string back, bench.Get(name));
    KIT_EXPECT(back == "content of " + name, "'" + shown + "' holds another name's content");
    KIT_ASSIGN(const auto listed, bench.Names());
    KIT_EXPECT(listed == std::vector<std::string>{name}, "'" + shown + "' is listed under another name");
    std::vector<Status> each;
    KIT_OK(bench.storage().Delete(bench.ctx(), std::vector<std::string>{bench.Key(name)}, &each));
    KIT_EXPECT(!bench.Has(name), "'" + shown + "' cannot be deleted");
  }
}

}  // namespace

std::vector<StorageCheck> StorageListingChecks() {
  return {
      {"every_key_is_listed_once", 1, EveryKeyIsListedOnce},
      {"a_prefix_is_of_keys_not_of_folders", 1, APrefixIsOfKeysNotOfFolders},
      {"the_delimiter_collapses", 1, TheDelimiterCollapses},
      {"delete_takes_many_and_missing", 1, DeleteTakesManyAndMissing},
      {"copy_copies", 1, CopyCopies},
      {"nasty_names_are_held_or_refused", 1, NastyNamesAreHeldOrRefused},
  };
}

}  // namespace walrig::conformance
