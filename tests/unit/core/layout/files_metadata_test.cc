#include "core/layout/files_metadata.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "core/base/time_format.h"
#include "core/layout/sentinel.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"
#include "tests/support/test_data.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using testing::ElementsAre;
using testing::HasSubstr;

class StringSink final : public Sink {
 public:
  Status Write(const Context&, ByteSpan bytes) override { return text += AsText(bytes), OkStatus(); }
  Status Commit(const Context&) override { return OkStatus(); }
  void Abort() noexcept override {}
  std::string text;
};

class StringSource final : public Source {
 public:
  explicit StringSource(std::string text, size_t step = SIZE_MAX) : text_(std::move(text)), step_(step) {}
  Result<size_t> Read(const Context&, MutableByteSpan buffer) override {
    const size_t n = std::min({buffer.size(), step_, text_.size() - at_});
    text_.copy(reinterpret_cast<char*>(buffer.data()), n, at_);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  size_t step_, at_ = 0;
};

// Says each event in a line.
struct Lines final : FilesMetadataVisitor {
  Status OnFile(std::string name, FileDescription file) override {
    std::string line = fmt::format("{} {}{} {}", name, file.incremented ? "I" : "-", file.skipped ? "S" : "-",
                                   file.mtime_ns == kFileTimeUnknown ? "?" : FormatRfc3339Nano(file.mtime_ns));
    if (file.corrupt.has_value()) line += fmt::format(" corrupt {} [{}]", file.corrupt->count, fmt::join(file.corrupt->some, " "));
    if (file.updates != 0) line += fmt::format(" updates {}", file.updates);
    return lines.push_back(line), OkStatus();
  }
  Status OnTarMember(std::string_view tar, std::string name) override { return lines.push_back(fmt::format("{}: {}", tar, name)), OkStatus(); }
  Status OnDatabase(std::string_view name, uint32_t oid) override { return lines.push_back(fmt::format("db {} {}", name, oid)), OkStatus(); }
  Status OnTable(std::string_view database, TableName table) override {
    return lines.push_back(fmt::format("{}.{}<{} {} {}", database, table.name, table.parent, table.oid, table.relfilenode)), OkStatus();
  }
  std::vector<std::string> lines;
};

FileDescription File(int64_t mtime_ns) {
  FileDescription file;
  file.mtime_ns = mtime_ns;
  return file;
}
FileDescription Skipped() {
  FileDescription file;
  file.skipped = true;
  return file;
}
FileDescription Corrupt() {
  FileDescription file = File(0);
  file.incremented = true;
  file.corrupt = CorruptBlocks{2, {1, 7}};
  file.updates = 9;
  return file;
}

class FilesMetadataTest : public testing::Test {
 protected:
  Status Read(const std::string& text, size_t step = SIZE_MAX) {
    lines_ = {};
    StringSource source(text, step);
    return ReadFilesMetadata(ctx_, source, lines_);
  }
  test::TestContext ctx_;
  Lines lines_;
  StringSink sink_;
};

TEST_F(FilesMetadataTest, WritesWhatWalgWouldAndReadsItBack) {
  FilesMetadataWriter writer(sink_);
  ASSERT_OK(writer.AddFile(ctx_, "/base/5/1259", File(1795453871098087142)));
  ASSERT_OK(writer.AddFile(ctx_, "/odd <ü>\n", Corrupt()));
  ASSERT_OK(writer.AddFile(ctx_, "/s", Skipped()));
  ASSERT_OK(writer.BeginTar(ctx_, "part_001.tar.zst"));
  ASSERT_OK(writer.AddToTar(ctx_, "/base/5/1259"));
  ASSERT_OK(writer.AddToTar(ctx_, "/s"));
  ASSERT_OK(writer.BeginTar(ctx_, "part_002.tar.zst"));
  ASSERT_OK(writer.BeginDatabase(ctx_, "postgres", 5));
  ASSERT_OK(writer.AddTable(ctx_, {"public.t", "", 10, 11}));
  ASSERT_OK(writer.AddTable(ctx_, {"public.t1", "public.t", 12, 13}));
  ASSERT_OK(writer.AddTable(ctx_, {"public.t2", "public.t", 14, 15}));
  ASSERT_OK(writer.AddTable(ctx_, {"public.u", "", 16, 17}));
  ASSERT_OK(writer.BeginDatabase(ctx_, "empty", 6));
  ASSERT_OK(writer.Finish(ctx_));
  EXPECT_EQ(sink_.text,
            R"({"Files":{"/base/5/1259":{"IsIncremented":false,"IsSkipped":false,"MTime":"2026-11-23T17:11:11.098087142Z","UpdatesCount":0},)"
            R"("/odd <ü>\n":{"IsIncremented":true,"IsSkipped":false,"MTime":"1970-01-01T00:00:00Z",)"
            R"("CorruptBlocks":{"CorruptBlocksCount":2,"SomeCorruptBlocks":[1,7]},"UpdatesCount":9},)"
            R"("/s":{"IsIncremented":false,"IsSkipped":true,"MTime":"0001-01-01T00:00:00Z","UpdatesCount":0}},)"
            R"("TarFileSets":{"part_001.tar.zst":["/base/5/1259","/s"],"part_002.tar.zst":[]},)"
            R"("DatabasesByNames":{"postgres":{"oid":5,"tables_new":{"public.t":{"oid":10,"relfilenode":11,"subtables":{)"
            R"("public.t1":{"oid":12,"relfilenode":13},"public.t2":{"oid":14,"relfilenode":15}}},"public.u":{"oid":16,"relfilenode":17}}},)"
            R"("empty":{"oid":6}}})");
  EXPECT_EQ(writer.bytes_written(), sink_.text.size());
  for (size_t step : {size_t{1}, SIZE_MAX}) {
    ASSERT_OK(Read(sink_.text, step));
    EXPECT_THAT(lines_.lines,
                ElementsAre("/base/5/1259 -- 2026-11-23T17:11:11.098087142Z", "/odd <ü>\n I- 1970-01-01T00:00:00Z corrupt 2 [1 7] updates 9",
                            "/s -S ?", "part_001.tar.zst: /base/5/1259", "part_001.tar.zst: /s", "postgres.public.t1<public.t 12 13",
                            "postgres.public.t2<public.t 14 15", "postgres.public.t< 10 11", "postgres.public.u< 16 17", "db postgres 5",
                            "db empty 6"));
  }
}

TEST_F(FilesMetadataTest, LeavesOutEmptyParts) {
  FilesMetadataWriter none(sink_);
  ASSERT_OK(none.Finish(ctx_));
  EXPECT_EQ(sink_.text, "{}");
  sink_.text.clear();
  FilesMetadataWriter tars(sink_);
  ASSERT_OK(tars.BeginTar(ctx_, "a"));
  ASSERT_OK(tars.Finish(ctx_));
  EXPECT_EQ(sink_.text, R"({"TarFileSets":{"a":[]}})");
  EXPECT_OK(Read(sink_.text));
}

TEST_F(FilesMetadataTest, RefusesNamesThatJsonCannotHoldAndWrongOrder) {
  FilesMetadataWriter writer(sink_);
  EXPECT_THAT(writer.AddFile(ctx_, "/a\xFF", {}), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(writer.AddToTar(ctx_, "/a"), HasCode(Code::kInternal));
  ASSERT_OK(writer.BeginTar(ctx_, "a"));
  EXPECT_THAT(writer.AddFile(ctx_, "/a", {}), HasCode(Code::kInternal));
}

TEST_F(FilesMetadataTest, WritesAndReadsManyFiles) {
  FilesMetadataWriter writer(sink_);
  for (int i = 0; i < 20000; ++i) ASSERT_OK(writer.AddFile(ctx_, fmt::format("/base/5/{}", i), {}));
  ASSERT_OK(writer.Finish(ctx_));
  ASSERT_OK(Read(sink_.text));
  EXPECT_EQ(lines_.lines.size(), 20000u);
}

TEST_F(FilesMetadataTest, ReadsWhatAVeryOldSentinelEmbeds) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(test::TestData("layout/sentinel_embedded.json")));
  ASSERT_OK(Read(sentinel.embedded_files_metadata));
  EXPECT_THAT(lines_.lines, testing::Contains("/pg_wal -- 2026-11-23T17:01:35.386104602Z"));
  EXPECT_THAT(lines_.lines, testing::Contains("backup_label.tar.zst: tablespace_map"));
}

TEST_F(FilesMetadataTest, ToleratesOrderCaseNullsAndUnknownKeys) {
  ASSERT_OK(Read(R"({"later":{"Files":{"x":[1,{}]}},"n":null,"s":"x","TARFILESETS":{"p":["/a"]},"files":{"/a":{"mtime":"2026-11-23T18:11:11+01:00",)"
                 R"("isskipped":null,"New":[{"MTime":3}],"CorruptBlocks":null},"/b":{}},"DatabasesByNames":{"d":{"tables":{"t":{"oid":1}},"oid":2}}})"));
  EXPECT_THAT(lines_.lines, ElementsAre("p: /a", "/a -- 2026-11-23T17:11:11Z", "/b -- ?", "d.t< 1 0", "db d 2"));
  EXPECT_OK(Read(R"({"Files":null,"TarFileSets":null})"));
}

TEST_F(FilesMetadataTest, TakesMomentsThatNanosecondsDoNotHoldForUnknown) {
  ASSERT_OK(Read(R"({"Files":{"/a":{"MTime":"0001-01-01T00:00:00Z"},"/b":{"MTime":"3000-01-01T00:00:00Z"}}})"));
  EXPECT_THAT(lines_.lines, ElementsAre("/a -- ?", "/b -- ?"));
}

TEST_F(FilesMetadataTest, RefusesWrongTypesDuplicatesAndContradictions) {
  for (const char* text :
       {"[]", "5", "null", R"({"Files":[]})", R"({"Files":5})", R"({"Files":{"/a":5}})", R"({"Files":{"/a":[]}})",
        R"({"Files":{"/a":{"MTime":5}}})", R"({"Files":{"/a":{"MTime":"x"}}})", R"({"Files":{"/a":{"MTime":"99999"}}})",
        R"({"Files":{"/a":{"IsSkipped":"true"}}})", R"({"Files":{"/a":{"UpdatesCount":-1}}})", R"({"Files":{"/a":{"IsIncremented":{}}}})",
        R"({"Files":{"/a":{"IsSkipped":true,"IsIncremented":true}}})", R"({"Files":{"/a":{},"/a":{}}})", R"({"Files":{},"files":{}})",
        R"({"TarFileSets":{"p":[5]}})", R"({"TarFileSets":{"p":[null]}})", R"({"TarFileSets":{"p":{}}})", R"({"TarFileSets":[]})",
        R"({"Files":{"/a":{"CorruptBlocks":[]}}})", R"({"Files":{"/a":{"CorruptBlocks":{"SomeCorruptBlocks":[4294967296]}}}})",
        R"({"DatabasesByNames":{"d":{"oid":4294967296}}})", R"({"DatabasesByNames":{"d":{"oid":"5"}}})",
        R"({"DatabasesByNames":{"d":{"tables_new":[]}}})", R"({"DatabasesByNames":{"d":{"tables_new":{"t":{"oid":[]}}}}})"}) {
    EXPECT_THAT(Read(text), HasCode(Code::kCorruption)) << text;
  }
  EXPECT_THAT(Read(R"({"Files":{"/a":{"MTime":5}}})"), MessageHas("mtime"));
}

TEST_F(FilesMetadataTest, FindsEveryTruncation) {
  const std::string text = R"({"Files":{"/a":{"MTime":"2026-11-23T17:11:11Z"}},"TarFileSets":{"p":["/a"]}})";
  ASSERT_OK(Read(text));
  for (size_t size = 0; size < text.size(); ++size) EXPECT_THAT(Read(text.substr(0, size)), HasCode(Code::kTruncated)) << size;
}

}  // namespace
}  // namespace walrig
