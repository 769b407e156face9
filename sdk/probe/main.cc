// SPDX-License-Identifier: MIT-0
// walrig-plugin-probe FILE: loads one plugin in a process of its own and describes it.
//
// `walrig plugin scan` starts it for every file that it does not know, so that a plugin that crashes, hangs or writes
// rubbish does so here. The answer goes to descriptor 3: four bytes of length, little-endian, then JSON (see
// core/plugin/probe.h). It calls the plugin's entry function and reads its tables; never init. It leaves by _exit, so
// that no destructor of the plugin runs.
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "walrig/module_info.h"

// A sanitizer's shadow takes terabytes of addresses; g++ and clang say by different names that one is there.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WALRIG_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WALRIG_SANITIZED 1
#endif
#ifndef WALRIG_SANITIZED
#define WALRIG_SANITIZED 0
#endif

namespace {

constexpr int kChannel = 3;

// JSON is written by hand: the probe shall map nothing but what the plugin brings.
void PutText(std::string* out, std::string_view text) {
  *out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Bytes beyond ASCII are written as the code point of their value: the reader needs no valid UTF-8 from us.
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      *out += escape;
    } else {
      *out += c;
    }
  }
  *out += '"';
}

class Object {
 public:
  explicit Object(std::string* out) : out_(out) { *out_ += '{'; }
  void End() { *out_ += '}'; }
  std::string* Key(std::string_view key) {
    if (!first_) *out_ += ',';
    first_ = false;
    PutText(out_, key);
    *out_ += ':';
    return out_;
  }
  void Text(std::string_view key, std::string_view value) { PutText(Key(key), value); }
  void Number(std::string_view key, uint64_t value) { *Key(key) += std::to_string(value); }
  void Flag(std::string_view key, bool value) { *Key(key) += value ? "true" : "false"; }
  void List(std::string_view key, const std::vector<std::string>& list) {
    std::string* out = Key(key);
    *out += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i != 0) *out += ',';
      PutText(out, list[i]);
    }
    *out += ']';
  }

 private:
  std::string* out_;
  bool first_ = true;
};

const char* TypeName(walrig::OptionType type) {
  static constexpr const char* kNames[] = {"string", "bool", "int", "uint", "float", "size", "time", "enum", "path", "list"};
  return kNames[static_cast<uint32_t>(type) - 1];  // ReadModule lets no other through
}

void PutOption(std::string* out, const walrig::OptionSpec& option) {
  Object object(out);
  object.Text("name", option.name);
  object.Text("type", TypeName(option.type));
  if (option.has_default) object.Text("default", option.default_text);
  object.Flag("required", option.required);
  object.Flag("secret", option.secret);
  object.Flag("advanced", option.advanced);
  object.Flag("deprecated", option.deprecated);
  object.Flag("test_only", option.test_only);
  object.List("aliases", option.aliases);
  object.List("settings", option.settings);
  object.List("choices", option.choices);
  object.Text("min", option.min_text);
  object.Text("max", option.max_text);
  object.Text("help", option.help);
  object.Text("group", option.group);
  object.Text("replaced_by", option.replaced_by);
  object.End();
}

void PutFactory(std::string* out, const walrig::FactoryInfo& factory) {
  Object object(out);
  object.Text("kind", walrig::KindName(factory.kind));
  object.Text("name", factory.name);
  object.List("aliases", factory.aliases);
  object.List("extensions", factory.extensions);
  object.Text("description", factory.description);
  object.Number("caps", factory.caps);
  object.Key("options");
  *out += '[';
  for (size_t i = 0; i < factory.options.size(); ++i) {
    if (i != 0) *out += ',';
    PutOption(out, factory.options[i]);
  }
  *out += ']';
  object.End();
}

void PutModule(std::string* out, const walrig::ModuleInfo& module) {
  Object object(out);
  object.Text("id", module.id);
  object.Text("version", module.version);
  object.Number("abi_major", module.abi_major);
  object.Number("abi_minor", module.abi_minor);
  object.Number("min_host_minor", module.min_host_minor);
  object.Number("flags", module.flags);
  object.Text("license", module.license);
  object.Text("vendor", module.vendor);
  object.Text("url", module.url);
  object.Text("description", module.description);
  object.Text("build", module.build);
  object.Key("factories");
  *out += '[';
  for (size_t i = 0; i < module.factories.size(); ++i) {
    if (i != 0) *out += ',';
    PutFactory(out, module.factories[i]);
  }
  *out += ']';
  object.End();
}

[[noreturn]] void Answer(const std::string& json) {
  const auto size = static_cast<uint32_t>(json.size());
  std::string message;
  for (int shift = 0; shift < 32; shift += 8) message += static_cast<char>(size >> shift & 0xff);
  message += json;
  size_t done = 0;
  while (done < message.size()) {
    const ssize_t wrote = write(kChannel, message.data() + done, message.size() - done);
    if (wrote <= 0) _exit(3);
    done += static_cast<size_t>(wrote);
  }
  _exit(0);
}

[[noreturn]] void Refuse(const char* outcome, std::string_view reason) {
  std::string json;
  Object object(&json);
  object.Text("outcome", outcome);
  object.Text("reason", reason);
  object.End();
  Answer(json);
}

void Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

void LimitMyself() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_range(kChannel + 1, ~0U, 0);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_CPU, 10);
  Limit(RLIMIT_NOFILE, 128);
#if !WALRIG_SANITIZED
  Limit(RLIMIT_AS, rlim_t{4} << 30);
#endif
}

int CollectLibrary(struct dl_phdr_info* info, size_t, void* list) {
  if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/') {
    static_cast<std::vector<std::string>*>(list)->emplace_back(info->dlpi_name);
  }
  return 0;
}

double Milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

int Probe(const char* path) {
  const double begin_ms = Milliseconds();
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* words = dlerror();
    std::string reason = words != nullptr ? words : "the dynamic linker gave no reason";
    const std::string head = std::string(path) + ": ";
    if (reason.compare(0, head.size(), head) == 0) reason.erase(0, head.size());
    Refuse("unloadable", reason);
  }
  const auto entry = reinterpret_cast<walrig_plugin_entry_fn>(dlsym(library, WALRIG_ENTRY_SYMBOL));
  if (entry == nullptr) Refuse("incompatible", "it has no entry function " WALRIG_ENTRY_SYMBOL);
  const walrig_module* const module = entry();
  if (entry() != module) Refuse("incompatible", "its entry function answers differently each time");
  const auto info = walrig::ReadModule(module);
  if (!info.ok()) Refuse("incompatible", info.status().message());
  const double load_ms = Milliseconds() - begin_ms;
  std::vector<std::string> closure;
  dl_iterate_phdr(CollectLibrary, &closure);
  std::string json;
  Object object(&json);
  object.Text("outcome", "ok");
  char number[32];
  std::snprintf(number, sizeof number, "%.3f", load_ms);
  *object.Key("load_ms") += number;
  object.List("closure", closure);
  PutModule(object.Key("module"), *info);
  object.End();
  Answer(json);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: walrig-plugin-probe FILE 3>ANSWER\nIt is started by `walrig plugin scan`.\n");
    return 2;
  }
  LimitMyself();
  try {
    return Probe(argv[1]);
  } catch (const std::exception& e) {
    Refuse("incompatible", std::string("its entry function threw: ") + e.what());
  } catch (...) {
    Refuse("incompatible", "its entry function threw something that is no exception");
  }
}
