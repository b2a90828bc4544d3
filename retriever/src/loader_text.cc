#include <algorithm>
#include <string>

#include "document_rules.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/utf8.h"
#include "openbook/retriever/document.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string document_id_of(const fs::path& path) {
  std::error_code ignored;
  const fs::path relative = fs::absolute(path, ignored).lexically_normal().lexically_relative(fs::current_path(ignored));
  const bool below = !relative.empty() && *relative.begin() != "..";
  return (below ? relative : path.lexically_normal()).generic_string();
}

std::string format_of(const fs::path& path) {
  const std::string extension = fold_case(first_invalid_utf8(path.extension().string()) ? "" : path.extension().string());
  return extension == ".md" || extension == ".markdown" ? "markdown" : "text";
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

// A link is followed to a file inside the folder that was named and nowhere else: a folder can't be made to give away what lies
// beside it.
bool leads_out_of(const fs::path& root, const fs::path& link) {
  std::error_code broken;
  const fs::path target = fs::canonical(link, broken);
  if (broken) return true;
  const fs::path relative = target.lexically_relative(fs::canonical(root, broken));
  return broken || relative.empty() || *relative.begin() == "..";
}

void walk(const fs::path& root, std::vector<fs::path>& found) {
  std::vector<fs::path> files;
  std::error_code failed;
  fs::recursive_directory_iterator entry(root, failed), end;
  for (; !failed && entry != end; entry.increment(failed)) {
    if (hidden(entry->path())) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file()) continue;  // a link to a folder is none, and the iterator doesn't enter it
    if (entry->is_symlink() && leads_out_of(root, entry->path())) continue;
    files.push_back(entry->path());
  }
  if (failed) throw Error(Code::kUnavailable, root.string() + ": can't read the folder: " + failed.message());
  std::sort(files.begin(), files.end());
  found.insert(found.end(), files.begin(), files.end());
}

}  // namespace

Document load_document(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) throw Error(Code::kNotFound, path.string() + ": no such file");
  if (!fs::is_regular_file(status))
    throw Error(Code::kInvalidArgument, path.string() + ": not a file", "Give a text or Markdown file.");
  Document document{
      .id = document_id_of(path), .text = read_file(path, kMaxDocumentBytes), .format = format_of(path), .metadata = {}};
  if (document.text.starts_with("\xFF\xFE") || document.text.starts_with("\xFE\xFF"))
    throw Error(Code::kInvalidArgument, path.string() + ": UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8.");
  if (document.text.starts_with(kByteOrderMark)) document.text.erase(0, kByteOrderMark.size());
  require_document_text(document.text, path.string());
  return document;
}

std::vector<fs::path> find_documents(const std::vector<fs::path>& paths) {
  std::vector<fs::path> found;
  for (const fs::path& path : paths) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (!fs::exists(status)) throw Error(Code::kNotFound, path.string() + ": no such file or folder");
    if (fs::is_directory(status))
      walk(path, found);
    else
      found.push_back(path);
  }
  if (found.empty())
    throw Error(Code::kInvalidArgument, "no documents found", "Name text or Markdown files, or a folder that holds some.");
  return found;
}

}  // namespace openbook::retriever
