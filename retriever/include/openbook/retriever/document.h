// A document as it is stored: its extracted text, byte for byte what citations point into. And how to get one from a file.
//
//   for (const auto& path : find_documents({"handbook/"}).files) retriever->ingest(load_document(path));
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace openbook::retriever {

inline constexpr uint64_t kMaxDocumentBytes = uint64_t{64} << 20;

struct Document {
  std::string id;                               // unique name; for files the path as given, made relative where possible
  std::string text;                             // UTF-8
  std::string format = "text";                  // "text" or "markdown"
  std::map<std::string, std::string> metadata;  // for filters, e.g. {"department", "hr"}
};

// Reads one text or Markdown file (.md and .markdown are Markdown, everything else is text when it holds text). The text is kept
// as the file has it, less a byte-order mark. Throws not_found, invalid_argument (binary: a NUL byte; not UTF-8; nothing but
// blanks; not a regular file; a name that isn't UTF-8), out_of_range (over 64 MiB).
Document load_document(const std::filesystem::path& path);

// Throws what an index would that is given this document: load_document's errors, and invalid_argument for an id that is not
// UTF-8 of 1 to 4,096 bytes, or metadata that is not UTF-8.
void require_document(const Document& document);

struct UnreadablePath {
  std::filesystem::path path;  // a folder, or a link that leads nowhere because it leads to itself
  std::string why;
};

struct FoundDocuments {
  std::vector<std::filesystem::path> files;  // may be none
  std::vector<UnreadablePath> unreadable;    // what was passed over, by path
};

// The files that `paths` name, folders walked recursively in sorted order, hidden files left out, symbolic links followed to
// files inside the folder only. What can't be read below a folder hides nothing else. Throws not_found for a path that isn't
// there.
FoundDocuments find_documents(const std::vector<std::filesystem::path>& paths);

}  // namespace openbook::retriever
