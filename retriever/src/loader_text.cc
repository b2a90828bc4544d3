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

// The files below `root`. Folder by folder, so that one which can't be read is named and costs nothing but itself.
void walk(const fs::path& root, FoundDocuments& found) {
  std::vector<fs::path> files, folders = {root};
  const auto pass_over = [&](const fs::path& path, const std::error_code& why) {
    found.unreadable.push_back({path, "can't be read: " + why.message()});
  };
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
      const fs::path& path = entry->path();
      if (hidden(path)) continue;
      std::error_code unknown;
      const fs::file_status status = entry->status(unknown);
      if (fs::is_directory(status)) {
        if (!entry->is_symlink(unknown)) folders.push_back(path);
      } else if (fs::is_regular_file(status)) {
        if (!entry->is_symlink(unknown) || !leads_out_of(root, path)) files.push_back(path);
      } else if (!fs::status_known(status)) {  // a link that leads to itself, or into what this user may not look at
        pass_over(path, unknown);
      }
    }
    if (failed) pass_over(folder, failed);
  }
  std::sort(files.begin(), files.end());
  found.files.insert(found.files.end(), files.begin(), files.end());
}

}  // namespace

Document load_document(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) throw Error(Code::kNotFound, path.string() + ": no such file");
  if (!fs::is_regular_file(status))
    throw Error(Code::kInvalidArgument, path.string() + ": not a file", "Give a text or Markdown file.");
  if (const auto bad = first_invalid_utf8(path.string()))
    throw Error(Code::kInvalidArgument, path.string() + ": the name is not UTF-8 at byte " + std::to_string(*bad),
                "Rename it: documents are cited by their names.");
  Document document{
      .id = document_id_of(path), .text = read_file(path, kMaxDocumentBytes), .format = format_of(path), .metadata = {}};
  if (document.text.starts_with("\xFF\xFE") || document.text.starts_with("\xFE\xFF"))
    throw Error(Code::kInvalidArgument, path.string() + ": UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8.");
  if (document.text.starts_with(kByteOrderMark)) document.text.erase(0, kByteOrderMark.size());
  require_document_text(document.text, path.string());
  return document;
}

FoundDocuments find_documents(const std::vector<fs::path>& paths) {
  FoundDocuments found;
  for (const fs::path& path : paths) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (status.type() == fs::file_type::not_found) throw Error(Code::kNotFound, path.string() + ": no such file or folder");
    if (!fs::status_known(status))
      found.unreadable.push_back({path, "can't be read: " + failed.message()});
    else if (fs::is_directory(status))
      walk(path, found);
    else
      found.files.push_back(path);
  }
  std::sort(found.unreadable.begin(), found.unreadable.end(),
            [](const UnreadablePath& a, const UnreadablePath& b) { return a.path < b.path; });
  return found;
}

}  // namespace openbook::retriever
