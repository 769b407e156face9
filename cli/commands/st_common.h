// What the st commands share: which storages a command is about.
//
// THREADS: one at a time.
#pragma once

#include <functional>

#include "cli/command.h"
#include "cli/wiring.h"

namespace walrig {

inline constexpr CliOption kStTarget = {
    .name = "target",
    .letter = 't',
    .kind = OptionKind::kValue,
    .value_name = "NAME",
    .help = "The storage: \"default\", a name of WALG_FAILOVER_STORAGES, or \"all\""};
inline constexpr CliOption kStGlob = {
    .name = "glob", .letter = 'g', .help = "The name is a pattern: * and ? and [a-z], never across /"};
inline constexpr CliOption kStJson = {.name = "json", .help = "Print JSON"};

inline constexpr std::string_view kTargetIsEmpty = "--target is empty: it takes the name of a storage";

// Calls `use` for the storage of --target; with "all" for each that lives, and then it is enough that one succeeds.
// An empty --target is a usage error: it must not mean all.
Result<ExitCode> ForTargets(Invocation& call, Wiring& wiring, bool read_only,
                            const std::function<Status(NamedStorage&)>& use);

}  // namespace walrig
