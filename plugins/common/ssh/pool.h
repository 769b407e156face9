// Pool: connections that several users share, at most so many.
//
// A free connection is taken first, then a new one is made, and when there may be no more of them the least used one is
// shared: nobody waits for another user to end, so a thread that holds many streams cannot lock itself out. Broken and
// retired ones, and those that nobody used for a while, are dropped when the next user comes.
//
// T has: bool usable() const; std::atomic<uint32_t> users. OWNS: the connections. THREADS: any number.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "plugins/common/ssh/wait.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/sdk/call.h"

namespace walrig::ssh {

template <typename T>
class Pool {
 public:
  struct Limits {
    uint32_t connections_max = 16;
    uint32_t connecting_max = 4;  // at once; sshd turns away the eleventh that has not logged in (MaxStartups)
    uint64_t idle_max_ms = 120'000;
  };
  using Maker = std::function<Result<std::shared_ptr<T>>(const Context&)>;

  // One user's hold on a connection. OWNS: a share of it.
  class Lease {
   public:
    Lease() = default;
    Lease(Pool* pool, std::shared_ptr<T> item) : pool_(pool), item_(std::move(item)) {}
    Lease(Lease&& other) noexcept : pool_(other.pool_), item_(std::move(other.item_)) { other.item_.reset(); }
    Lease& operator=(Lease&& other) noexcept {
      if (this != &other) {
        Release();
        pool_ = other.pool_;
        item_ = std::move(other.item_);
        other.item_.reset();
      }
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { Release(); }

    Lease Share() const {
      ++item_->users;
      return Lease(pool_, item_);
    }

    T& operator*() const { return *item_; }
    T* operator->() const { return item_.get(); }

   private:
    void Release() noexcept {
      if (item_ != nullptr) pool_->Return(*item_);
      item_.reset();
    }
    Pool* pool_ = nullptr;
    std::shared_ptr<T> item_;
  };

  Pool(Limits limits, Maker maker) : limits_(limits), maker_(std::move(maker)) {}

  // FAILS WITH: what the maker says; kCancelled and kTimeout while waiting for others to connect.
  Result<Lease> Take(const Context& ctx) {
    std::unique_lock lock(mutex_);
    while (true) {
      std::vector<std::shared_ptr<T>> dropped = DropUseless();
      if (!dropped.empty()) {
        // Closing talks to the network.
        lock.unlock();
        dropped.clear();
        lock.lock();
        continue;
      }
      if (std::shared_ptr<T> item = Find()) {
        ++item->users;
        return Lease(this, std::move(item));
      }
      if (connecting_ < limits_.connecting_max && items_.size() + connecting_ < limits_.connections_max) break;
      changed_.wait_for(lock, std::chrono::milliseconds(100));
      WALRIG_TRY(sdk::PollStop(ctx));
    }
    ++connecting_;
    lock.unlock();
    Result<std::shared_ptr<T>> made = maker_(ctx);
    lock.lock();
    --connecting_;
    changed_.notify_all();
    if (!made.ok()) return std::move(made).status();
    ++(*made)->users;
    items_.push_back({*made, 0});
    return Lease(this, std::move(made).value());
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  struct Item {
    std::shared_ptr<T> connection;
    uint64_t idle_since_ms = 0;
  };

  std::vector<std::shared_ptr<T>> DropUseless() {
    std::vector<std::shared_ptr<T>> dropped;
    const uint64_t now = MonotonicMs();
    std::erase_if(items_, [&](Item& item) {
      const bool idle = item.connection->users == 0;
      const bool stale = idle && now - item.idle_since_ms > limits_.idle_max_ms;
      // Whoever uses a broken one still holds it, and drops it at last.
      if (item.connection->usable() && !stale) return false;
      dropped.push_back(std::move(item.connection));
      return true;
    });
    return dropped;
  }

  // A free one; the least used one when no more can be made.
  std::shared_ptr<T> Find() {
    const Item* least = nullptr;
    for (const Item& item : items_) {
      // The latest in the list first: what is used often stays alive, the rest gets old.
      if (least == nullptr || item.connection->users <= least->connection->users) least = &item;
    }
    if (least == nullptr) return nullptr;
    if (least->connection->users == 0 || items_.size() >= limits_.connections_max) return least->connection;
    return nullptr;
  }

  void Return(T& connection) {
    const std::lock_guard lock(mutex_);
    for (Item& item : items_) {
      if (item.connection.get() == &connection) item.idle_since_ms = MonotonicMs();
    }
    --connection.users;
    changed_.notify_all();
  }

  const Limits limits_;
  const Maker maker_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t connecting_ = 0;
  std::vector<Item> items_;
};

}  // namespace walrig::ssh
