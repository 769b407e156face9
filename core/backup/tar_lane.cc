#include "core/backup/tar_lane.h"

#include <algorithm>

#include "core/base/threads.h"
#include "core/layout/paths.h"
#include "core/pipeline/tar_writer.h"
#include "core/storage/objects.h"

namespace walrig {

Status TarUpload::Lane::Open(const Context& ctx) {
  number_ = upload_.last_part_.fetch_add(1) + 1;
  payload_ = 0;
  const std::string key = TarKey(upload_.options_.backup_name, upload_.PartFileName(number_));
  WALRIG_ASSIGN(auto sink, upload_.storage_.Put(ctx, key, NewObject(upload_.storage_)));
  WALRIG_ASSIGN(part_, OrderedCompressor::New(*pool_, std::move(sink), {}));
  return OkStatus();
}

Status TarUpload::Lane::Close(const Context& ctx) {
  WALRIG_TRY(part_->Submit(ctx, [](const Context&, const Emit& emit) { return emit(TarTrailer()); }));
  auto finishing = std::make_unique<Finishing>();
  finishing->part = std::move(part_);
  finishing->name = upload_.PartFileName(number_);
  WALRIG_ASSIGN(finishing->thread,
                StartThread([&ctx, f = finishing.get()] {
                  f->status = f->part->Finish(ctx);
                  f->failed = !f->status.ok();
                }));
  finishing_.push_back(std::move(finishing));
  while (finishing_.size() > std::max<size_t>(1, upload_.options_.parts_finishing_max)) WALRIG_TRY(WaitOldest());
  return OkStatus();
}

Status TarUpload::Lane::WaitOldest() {
  std::unique_ptr<Finishing> oldest = std::move(finishing_.front());
  finishing_.pop_front();
  oldest->thread.join();
  if (!oldest->status.ok()) return std::move(oldest->status).With("storing " + oldest->name);
  upload_.Done(oldest->name, oldest->part->stats());
  return OkStatus();
}

// A part that failed while it was finishing ends the backup now, not when its turn to be waited for comes.
Status TarUpload::Lane::CheckFinishing() {
  for (auto& finishing : finishing_) {
    if (!finishing->failed) continue;
    finishing->thread.join();
    return std::move(finishing->status).With("storing " + finishing->name);
  }
  return OkStatus();
}

Status TarUpload::Lane::Run(const Context& ctx, const WorkerPool* siblings) {
  while (std::optional<TarUnit> unit = upload_.planner_.Next()) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(CheckFinishing());
    if (siblings != nullptr && siblings->failed()) return OkStatus();
    if (part_ != nullptr && (unit->group != group_ || payload_ > upload_.options_.part_bytes_max)) WALRIG_TRY(Close(ctx));
    if (part_ == nullptr) WALRIG_TRY(Open(ctx));
    group_ = unit->group;
    payload_ += unit->payload_bytes;
    Status status = Submit(ctx, *unit);
    if (!status.ok()) return std::move(status).With("storing " + upload_.PartFileName(number_));
  }
  if (part_ != nullptr) WALRIG_TRY(Close(ctx));
  while (!finishing_.empty()) WALRIG_TRY(WaitOldest());
  return OkStatus();
}

Status TarUpload::Lane::Submit(const Context& ctx, const TarUnit& unit) {
  for (size_t position = unit.begin; position < unit.end; ++position)
    upload_.files_.outcome(upload_.planner_.Index(position)).part = number_;
  if (unit.big) return SubmitBig(ctx, upload_.planner_.Index(unit.begin));
  return part_->Submit(ctx, [upload = &upload_, unit](const Context& c, const Emit& emit) {
    return upload->PackRun(c, unit, emit);
  });
}

Status TarUpload::Lane::SubmitBig(const Context& ctx, size_t index) {
  auto file = std::make_shared<BigFile>();  // shared by its slices; the last one closes it
  file->index = index;
  file->path = upload_.files_.Path(upload_.files_.entry(index));
  Result<Fd> fd = OpenFd(file->path, kPackedFileFlags);
  if (fd.status().code() == Code::kNotFound) {
    upload_.Vanished(ctx, index, file->path);
    return OkStatus();
  }
  if (!fd.ok()) return PackedFileHint(std::move(fd).status());
  file->fd = *std::move(fd);
  WALRIG_ASSIGN(file->entry, upload_.EntryNow(index, file->fd.get()));
  const uint64_t slice = upload_.options_.slice_bytes;
  // One that is empty by now has a header all the same.
  const size_t ranges = std::max<size_t>(1, static_cast<size_t>((file->entry.size_bytes + slice - 1) / slice));
  file->crcs.resize(ranges);
  file->left = ranges;
  if (upload_.options_.sha256) {
    WALRIG_ASSIGN(Sha256 sha256, Sha256::New());
    file->sha256.emplace(std::move(sha256));
  }
  for (size_t range = 0; range < ranges; ++range) {
    WALRIG_TRY(CheckFinishing());
    WALRIG_TRY(part_->Submit(ctx, [upload = &upload_, file, range](const Context& c, const Emit& emit) {
      Status status = upload->PackRange(c, *file, range, emit);
      if (!status.ok()) {
        std::lock_guard lock(file->mutex);
        file->failed = true;
        file->turn.notify_all();
      }
      return status;
    }));
  }
  return OkStatus();
}

}  // namespace walrig
