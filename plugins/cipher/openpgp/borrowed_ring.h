// BorrowedRing: a key ring for as long as a machine lives. OWNS: the ring, until it gives it back. THREADS: one at a
// time.
#pragma once

#include <memory>
#include <utility>

#include "plugins/cipher/openpgp/key_ring.h"

namespace walrig::openpgp {

class BorrowedRing {
 public:
  static Result<BorrowedRing> Take(std::shared_ptr<KeyRings> from, bool unlocked) {
    WALRIG_ASSIGN(std::unique_ptr<KeyRing> ring, from->Borrow(unlocked));
    return BorrowedRing(std::move(from), std::move(ring), unlocked);
  }
  BorrowedRing(BorrowedRing&&) noexcept = default;
  BorrowedRing& operator=(BorrowedRing&&) = delete;
  ~BorrowedRing() {
    if (from_ != nullptr) from_->Return(std::move(ring_), unlocked_);
  }
  KeyRing& operator*() const noexcept { return *ring_; }
  KeyRing* operator->() const noexcept { return ring_.get(); }

 private:
  BorrowedRing(std::shared_ptr<KeyRings> from, std::unique_ptr<KeyRing> ring, bool unlocked)
      : from_(std::move(from)), ring_(std::move(ring)), unlocked_(unlocked) {}

  std::shared_ptr<KeyRings> from_;
  std::unique_ptr<KeyRing> ring_;
  bool unlocked_;
};

}  // namespace walrig::openpgp
