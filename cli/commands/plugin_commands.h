// The run functions of `walrig plugin ...`, for the table in plugin.cc.
#pragma once

#include "cli/command.h"

namespace walrig {

Result<ExitCode> RunPluginList(Invocation& call);
Result<ExitCode> RunPluginInfo(Invocation& call);
Result<ExitCode> RunPluginScan(Invocation& call);
Result<ExitCode> RunPluginRelease(Invocation& call);
Result<ExitCode> RunPluginVerify(Invocation& call);
Result<ExitCode> RunPluginDoctor(Invocation& call);
Result<ExitCode> RunPluginNew(Invocation& call);

}  // namespace walrig
