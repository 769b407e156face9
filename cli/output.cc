#include "cli/output.h"

#include <algorithm>
#include <cerrno>

#include "core/base/errno_status.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

// How many columns a cell takes: UTF-8 continuation bytes take none.
size_t Width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<size_t> Widths(const std::vector<std::string>& titles, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& title : titles) widths.push_back(Width(title));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  return widths;
}

void AppendPadded(std::string* out, std::string_view cell, size_t width) {
  out->append(cell);
  const size_t taken = Width(cell);
  if (taken < width) out->append(width - taken, ' ');
}

void AppendPlainRow(std::string* out, const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  for (size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
    if (i + 1 == widths.size())
      out->append(cells[i]);
    else
      AppendPadded(out, cells[i], widths[i] + 1);
  }
  *out += '\n';
}

void AppendBorder(std::string* out, const std::vector<size_t>& widths) {
  for (const size_t width : widths) *out += "+" + std::string(width + 2, '-');
  *out += "+\n";
}

void AppendPrettyRow(std::string* out, const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  for (size_t i = 0; i < widths.size(); ++i) {
    *out += "| ";
    AppendPadded(out, i < cells.size() ? std::string_view(cells[i]) : std::string_view(), widths[i] + 1);
  }
  *out += "|\n";
}

}  // namespace

void Output::Write(std::string_view text) {
  errno = 0;
  if (text.empty() || std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return;
  if (error_ == 0) error_ = errno != 0 ? errno : EIO;
}

void Output::Line(std::string_view text) {
  Write(text);
  Write("\n");
}

void Output::Json(const walrig::Json& document, bool pretty) { Line(DumpJson(document, pretty ? 4 : -1)); }

Status Output::Finish() {
  errno = 0;
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno != 0 ? errno : EIO;
  return error_ == 0 ? OkStatus() : ErrnoStatus(error_, "write to standard output");
}

std::string PlainTable(const Table& table) {
  const std::vector<size_t> widths = Widths(table.titles, table.rows);
  std::string out;
  AppendPlainRow(&out, table.titles, widths);
  for (const auto& row : table.rows) AppendPlainRow(&out, row, widths);
  return out;
}

std::string PrettyTable(const Table& table) {
  std::vector<std::string> titles = {"#"};
  for (const std::string& title : table.titles) titles.push_back(ToUpper(title));
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : table.rows) {
    rows.push_back({std::to_string(rows.size())});
    rows.back().insert(rows.back().end(), row.begin(), row.end());
  }
  const std::vector<size_t> widths = Widths(titles, rows);
  std::string out;
  AppendBorder(&out, widths);
  AppendPrettyRow(&out, titles, widths);
  AppendBorder(&out, widths);
  for (const auto& row : rows) AppendPrettyRow(&out, row, widths);
  AppendBorder(&out, widths);
  return out;
}

}  // namespace walrig
