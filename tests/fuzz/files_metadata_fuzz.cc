// files_metadata.json read in pieces and at once gives the same answer; its files can be written and read again.
#include "core/layout/files_metadata.h"
#include "tests/fuzz/fuzz_support.h"

namespace {

using namespace walrig;

class NullSink final : public Sink {
 public:
  Status Write(const Context&, ByteSpan bytes) override { return text.append(AsText(bytes)), OkStatus(); }
  Status Commit(const Context&) override { return OkStatus(); }
  void Abort() noexcept override {}
  std::string text;
};

class Copier final : public FilesMetadataVisitor {
 public:
  explicit Copier(FilesMetadataWriter& writer) : writer_(writer) {}
  Status OnFile(std::string name, FileDescription file) override {
    fuzz::Check(!(file.incremented && file.skipped));
    ++files;
    return in_order_ ? writer_.AddFile(ctx_, name, file) : OkStatus();
  }
  Status OnTarMember(std::string_view, std::string) override { return in_order_ = false, OkStatus(); }
  Status OnTable(std::string_view, TableName) override { return in_order_ = false, OkStatus(); }
  size_t files = 0;

 private:
  FilesMetadataWriter& writer_;
  Context ctx_;
  bool in_order_ = true;  // files come first, as they are written
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Context ctx;
  NullSink sink, other;
  FilesMetadataWriter writer(sink), other_writer(other);
  Copier copier(writer), other_copier(other_writer);
  fuzz::PieceSource whole(fuzz::Text(data, size), SIZE_MAX), pieces(fuzz::Text(data, size), 1);
  const Status at_once = ReadFilesMetadata(ctx, whole, copier);
  const Status in_pieces = ReadFilesMetadata(ctx, pieces, other_copier);
  fuzz::Check(at_once.code() == in_pieces.code());
  if (!at_once.ok()) return 0;
  fuzz::Check(copier.files == other_copier.files);
  fuzz::Check(writer.Finish(ctx).ok());
  NullSink none;
  FilesMetadataWriter last_writer(none);
  Copier last(last_writer);
  fuzz::PieceSource written(sink.text);
  fuzz::Check(ReadFilesMetadata(ctx, written, last).ok());
  fuzz::Check(last.files <= copier.files);
  return 0;
}
