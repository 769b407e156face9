#include "plugins/compressor/brotli/guarded_memory.h"

#include <cstdint>
#include <cstdlib>
#include <new>

namespace walrig::brotli {

void* GuardedMemory::Allocate(void* memory, size_t size_bytes) {
  auto* const self = static_cast<GuardedMemory*>(memory);
  void* const raw = size_bytes > SIZE_MAX - sizeof(Piece) ? nullptr : std::malloc(sizeof(Piece) + size_bytes);
  if (raw == nullptr) {
    if (self->inside_) std::longjmp(self->way_out_, 1);
    return nullptr;
  }
  auto* const piece = new (raw) Piece{.next = self->first_};
  if (piece->next != nullptr) piece->next->previous = piece;
  self->first_ = piece;
  return piece + 1;
}

void GuardedMemory::Free(void* memory, void* address) {
  if (address == nullptr) return;
  auto* const self = static_cast<GuardedMemory*>(memory);
  Piece* const piece = static_cast<Piece*>(address) - 1;
  if (piece->next != nullptr) piece->next->previous = piece->previous;
  (piece->previous != nullptr ? piece->previous->next : self->first_) = piece->next;
  std::free(piece);
}

void GuardedMemory::FreeAll() {
  while (first_ != nullptr) {
    Piece* const next = first_->next;
    std::free(first_);
    first_ = next;
  }
}

}  // namespace walrig::brotli
