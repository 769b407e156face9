#include "core/backup/restore_owner.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/postgres/data_dir.h"

namespace walrig {
namespace {

constexpr size_t kTextBytes = 64 * 1024;  // a group may have many members

struct User {
  uid_t uid;
  gid_t gid;  // primary group
  std::string name;
};

std::optional<User> FindUser(const std::string& name) {
  passwd entry{}, *found = nullptr;
  std::vector<char> text(kTextBytes);
  if (name.empty() || getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return {};
  return User{found->pw_uid, found->pw_gid, found->pw_name};
}

std::optional<User> FindUser(uid_t uid) {
  passwd entry{}, *found = nullptr;
  std::vector<char> text(kTextBytes);
  if (getpwuid_r(uid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return {};
  return User{found->pw_uid, found->pw_gid, found->pw_name};
}

std::optional<gid_t> FindGroup(const std::string& name) {
  group entry{}, *found = nullptr;
  std::vector<char> text(kTextBytes);
  if (name.empty() || getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return {};
  return found->gr_gid;
}

TreeOwner OwnerOf(const TarEntry& entry) {
  const std::optional<User> user = FindUser(entry.uname);
  const std::optional<gid_t> group = FindGroup(entry.gname);
  TreeOwner owner;
  owner.uid = user ? user->uid : static_cast<uid_t>(entry.uid);
  owner.gid = group ? *group : user ? user->gid : static_cast<gid_t>(entry.gid);
  return owner;
}

std::vector<gid_t> GroupsOf(const TreeOwner& owner) {
  std::vector<gid_t> groups{owner.gid};
  const std::optional<User> user = FindUser(owner.uid);
  if (!user) return groups;
  int count = 256;
  groups.resize(static_cast<size_t>(count));
  if (getgrouplist(user->name.c_str(), user->gid, groups.data(), &count) < 0) count = 0;
  groups.resize(static_cast<size_t>(count));
  groups.push_back(owner.gid);
  return groups;
}

}  // namespace

std::string UserText(uid_t uid) {
  const std::optional<User> user = FindUser(uid);
  return user ? user->name : std::to_string(uid);
}

Result<std::optional<TreeOwner>> OwnerOfRestore(const Context& ctx, const std::string& target, const RestorePlan& plan) {
  if (geteuid() != 0) return std::optional<TreeOwner>();
  TreeOwner owner;
  struct stat info{};
  if (stat(target.c_str(), &info) == 0 && info.st_uid != 0) {
    owner = {info.st_uid, info.st_gid};
  } else if (const SmallMember* control = plan.Special(kControlFilePath); control != nullptr) {
    owner = OwnerOf(control->entry);
  }
  std::string above = target;
  while (owner.uid == 0 && above.size() > 1) {
    above.resize(std::max<size_t>(above.rfind('/'), 1));
    if (stat(above.c_str(), &info) != 0) continue;
    owner = {info.st_uid, info.st_gid};
    break;
  }
  if (owner.uid == 0) {
    return InvalidArgument("backup-fetch runs as root, and nothing says to whom the files belong: PostgreSQL does not start "
                           "in a directory of root's")
        .Hint(fmt::format("run it as the user that PostgreSQL runs as, or make the directory {} and give it to that user", target));
  }
  ctx.log->Write(LogLevel::kInfo, "backup-fetch",
                 fmt::format("running as root: what is restored is given to user {}", UserText(owner.uid)));
  return std::optional<TreeOwner>(owner);
}

std::string ClosedDirectoryAbove(const std::string& path, const TreeOwner& owner) {
  const std::vector<gid_t> groups = GroupsOf(owner);
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    struct stat info{};
    if (stat(above.c_str(), &info) != 0) return {};
    const mode_t enter = info.st_uid == owner.uid                                                  ? S_IXUSR
                         : std::find(groups.begin(), groups.end(), info.st_gid) != groups.end() ? S_IXGRP
                                                                                                 : S_IXOTH;
    if ((info.st_mode & enter) == 0) return above;
  }
  return {};
}

}  // namespace walrig
