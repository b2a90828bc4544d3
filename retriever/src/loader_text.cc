#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "document_rules.h"
#include "file_format.h"
#include "named_folder.h"
#include "openbook/base/descriptor.h"
#include "openbook/base/error.h"
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

bool is_markdown(const fs::path& path) {
  const std::string extension = fold_case(first_invalid_utf8(path.extension().string()) ? "" : path.extension().string());
  return extension == ".md" || extension == ".markdown";
}

[[noreturn]] void throw_errno(const fs::path& path, int error) {
  const std::string message = path.string() + ": can't be read: " + std::strerror(error);
  switch (error) {
    case ENOENT:
      throw Error(Code::kNotFound, message);
    case ELOOP:
    case ENOTDIR:
      throw Error(Code::kInvalidArgument, path.string() + ": it, or a folder on its way, is a link now; it is not followed",
                  "Ingest the folder that the link leads to.");
    case ESTALE:
      throw Error(Code::kUnavailable, path.string() + ": another folder has taken the place of its folder", "Run it again.");
    case ENXIO:
      throw Error(Code::kInvalidArgument, path.string() + ": not a file", "Give a text or Markdown file.");
    case EACCES:
    case EPERM:
      throw Error(Code::kFailedPrecondition, message, "Check who owns it and its mode.");
    default:
      throw Error(Code::kUnavailable, message);
  }
}

[[noreturn]] void throw_too_large(const fs::path& path) {
  throw Error(Code::kOutOfRange, path.string() + ": larger than the limit of " + std::to_string(kMaxDocumentBytes) + " bytes",
              "Split it into several documents.");
}

// What is open is what is read, whatever its path has become.
std::string read(const FoundFile& found) {
  const Descriptor file(found.folder->open(found.file.lexically_relative(found.folder->path()), O_RDONLY));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) throw_errno(found.path, errno);
  if (!S_ISREG(status.st_mode))
    throw Error(Code::kInvalidArgument, found.path.string() + ": not a file", "Give a text or Markdown file.");
  if (static_cast<uint64_t>(status.st_size) > kMaxDocumentBytes) throw_too_large(found.path);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(status.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(found.path, errno);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > kMaxDocumentBytes) throw_too_large(found.path);  // it grew
  }
}

}  // namespace

Document load_document(const FoundFile& found) {
  const std::string name = found.path.string();
  if (const auto bad = first_invalid_utf8(name))
    throw Error(Code::kInvalidArgument, name + ": the name is not UTF-8 at byte " + std::to_string(*bad),
                "Rename it: documents are cited by their names.");
  const bool markdown = is_markdown(found.path);
  Document document{.id = document_id_of(found.path),
                    .text = read(found),
                    .format = markdown ? "markdown" : "text",
                    .metadata = {},
                    .file = found.file.string()};
  if (begins_as_private_key(document.text))
    throw Error(Code::kInvalidArgument, name + ": a private key, which is never read as a document", "Keep it elsewhere.");
  if (const auto format = foreign_format(document.text, markdown))
    throw Error(Code::kInvalidArgument, name + ": " + std::string(format->name) + "; only text and Markdown are read",
                std::string(format->hint));
  if (document.text.starts_with(kByteOrderMark)) document.text.erase(0, kByteOrderMark.size());
  if (const auto bad = first_invalid_utf8(document.text); bad && document.text.find('\0') == std::string::npos)
    throw Error(Code::kInvalidArgument, name + ": not UTF-8 at byte " + std::to_string(*bad),
                "Convert it from what it is in; if that is Latin-1: iconv -f ISO-8859-1 -t UTF-8.");
  require_document_text(document.text, name);
  return document;
}

Document load_document(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) throw Error(Code::kNotFound, path.string() + ": no such file");
  if (!fs::is_regular_file(status))
    throw Error(Code::kInvalidArgument, path.string() + ": not a file", "Give a text or Markdown file.");
  const fs::path file = fs::canonical(path, failed);
  if (failed) throw Error(Code::kUnavailable, path.string() + ": can't be read: " + failed.message());
  return load_document(FoundFile{path, file, std::make_shared<const NamedFolder>(file.parent_path())});
}

void require_at(const fs::path& file) {
  auto folder = std::make_shared<const NamedFolder>(file.parent_path());
  if (folder->path() != file.parent_path()) throw_errno(file, ELOOP);
  load_document(FoundFile{file, file, std::move(folder)});
}

}  // namespace openbook::retriever
