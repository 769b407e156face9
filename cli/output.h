// Output: what goes to standard output, and the tables that commands print.
//
// THREADS: one at a time.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "walrig/status.h"

namespace walrig {

class Output {
 public:
  // `file` must outlive this object and is not closed.
  explicit Output(std::FILE* file) : file_(file) {}
  void Write(std::string_view text);
  void Line(std::string_view text);
  // One JSON document and a line break; with `pretty` indented by 4, as WAL-G.
  void Json(const walrig::Json& document, bool pretty = false);
  // Flushes; says whether everything reached the file, and the first error if not (a full disk, a closed pipe).
  Status Finish();

 private:
  std::FILE* file_;
  int error_ = 0;  // errno of the first write that failed
};

struct Table {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;
};

// Columns padded with spaces to the longest cell plus one, as WAL-G's plain lists; no trailing spaces in the last.
std::string PlainTable(const Table& table);
// Borders of + - |, titles in upper case, a first column "#" that counts from 0, as WAL-G's --pretty.
std::string PrettyTable(const Table& table);

}  // namespace walrig
