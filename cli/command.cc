#include "cli/command.h"

#include <fmt/format.h>

#include "core/base/string_util.h"

namespace walrig {

std::string Invocation::Text(std::string_view option, std::string_view fallback) const {
  const auto it = options.find(option);
  return it == options.end() || it->second.empty() ? std::string(fallback) : it->second.back();
}

std::vector<std::string> Invocation::List(std::string_view option) const {
  const auto it = options.find(option);
  return it == options.end() ? std::vector<std::string>() : it->second;
}

std::vector<const Command*> AllCommands() {
  std::vector<const Command*> all = {&BackupPushCommand(), &BackupFetchCommand(),  &BackupListCommand(),
                                     &BackupShowCommand(), &BackupVerifyCommand(), &WalPushCommand(),
                                     &WalFetchCommand()};
  for (const Command& command : DeleteCommands()) all.push_back(&command);
  for (const auto commands : {StReadCommands(), StWriteCommands(), StMoveCommands()}) {
    for (const Command& command : commands) all.push_back(&command);
  }
  for (const Command& command : PluginCommands()) all.push_back(&command);
  all.push_back(&PluginCheckCommand());
  for (const Command& command : KeyCommands()) all.push_back(&command);
  for (const Command& command : ConfigCommands()) all.push_back(&command);
  all.insert(all.end(), {&FlagsCommand(), &CompletionCommand(), &VersionCommand(), &HelpCommand()});
  return all;
}

const Command* FindCommand(std::span<const std::string> words, size_t* used) {
  const Command* best = nullptr;
  for (const Command* command : AllCommands()) {
    const std::vector<std::string> name = Split(command->name, ' ');
    if (name.size() > words.size() || (best != nullptr && name.size() <= *used)) continue;
    bool same = true;
    for (size_t i = 0; i < name.size(); ++i) same = same && name[i] == words[i];
    if (!same) continue;
    best = command;
    *used = name.size();
  }
  return best;
}

}  // namespace walrig
