// SshStorage: objects as files below a directory of another host, over SFTP; WAL-G's SSH storage reads and writes the same.
//
// OWNS: a pool of connections, made when they are needed. THREADS: as walrig::Storage.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/ssh/folders.h"
#include "plugins/storage/ssh/lister.h"
#include "plugins/storage/ssh/sftp.h"
#include "walrig/storage.h"

namespace walrig::ssh {

// put_if_absent and copy need extensions of OpenSSH (since 5.7 and 9.0); on a server without them these two calls say
// kNotSupported, and put_if_absent must be switched off.
inline constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = true,
                                                      .delimiter = true, .list_sorted = true,
                                                      .read_your_writes = true, .list_your_writes = true,
                                                      .unfinished = true};

struct StorageOptions {
  SessionOptions session;
  std::string root;  // absolute
  bool sync = true;
  uint32_t connections_max = 16;
  uint64_t in_flight_bytes = 2u << 20;  // of one stream
  bool put_if_absent = true;            // false for servers without hardlink@openssh.com
};

class SshStorage final : public Storage {
 public:
  // Connects nowhere yet.
  explicit SshStorage(StorageOptions options);

  StorageCapabilities capabilities() const override;
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix,
                                        std::string_view page_token) override;
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override;

 private:
  Status DeleteSome(const Context& ctx, Sftp& sftp, std::span<const std::string> keys, std::span<Status> each);
  Status Remove(const Context& ctx, Sftp& sftp, std::span<const std::string> keys, std::vector<Status>* each);

  const StorageOptions options_;
  Folders folders_;
  ListMemory memory_;
  SftpPool pool_;
};

}  // namespace walrig::ssh
