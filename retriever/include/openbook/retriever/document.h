// A document as it is stored: its extracted text, byte for byte what citations point into. And how to get one from a file.
//
//   for (const FoundFile& file : find_documents({"handbook/"}).files) retriever->ingest(load_document(file));
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace openbook::retriever {

inline constexpr uint64_t kMaxDocumentBytes = uint64_t{64} << 20;

struct Document {
  std::string id;                               // unique name, which citations show
  std::string text;                             // UTF-8
  std::string format = "text";                  // "text" or "markdown"
  std::map<std::string, std::string> metadata;  // for filters, e.g. {"department", "hr"}
  std::string file;                             // which file it was read from: an absolute path without links; empty: from none
};

// Which files below a folder are documents.
//
// A pattern: `*` is any run of characters but `/`, `**` any run, `?` one character but `/`, [a-z] one of a class, [!a-z] one that
// is not in it; letter case counts. A pattern without `/` is tried on the name of the file and of every folder between it and the
// folder that was named; one with `/` on the whole path below that folder, and on the path of every folder on the way.
struct FileRules {
  std::vector<std::string> include;  // only files that one of these names; none: all
  std::vector<std::string> exclude;  // not these, nor what is below such a folder; goes before include
};

class NamedFolder;  // a folder that was named, or that holds a file which was

struct FoundFile {
  std::filesystem::path path;                 // for people: the path that was named, and what is below it
  std::filesystem::path file;                 // absolute, without links: which file it is, by whatever path it was reached
  std::shared_ptr<const NamedFolder> folder;  // it is opened from there
};

// One that was passed over, and why.
struct PassedOver {
  std::filesystem::path path;
  std::string why;
  std::string hint;  // what to do; may be empty
};

struct FoundDocuments {
  std::vector<FoundFile> files;        // may be none; a file that was reached in two ways stands here once
  std::vector<PassedOver> unreadable;  // folders, and links that lead to themselves; by path
  std::vector<PassedOver> secrets;     // left out by their names, as those of private keys are; by path
};

// The files that `paths` name, folders walked recursively in sorted order, hidden files left out. Of symbolic links below a
// folder only those to files inside the folder count, as the file that they lead to. What can't be read below a folder hides
// nothing else. Private keys and the like are left out by their names (is_secret_name) unless an include pattern names them.
// Throws not_found for a path that isn't there, invalid_argument for a malformed pattern.
FoundDocuments find_documents(const std::vector<std::filesystem::path>& paths, const FileRules& rules = {});

// Whether the rules leave out the file at `below`, a path below the folder that was named.
bool is_excluded(const std::filesystem::path& below, const FileRules& rules);

// Names under which private keys, passwords and key stores are kept: id_rsa, *.pem, *.key, .env*, *.p12, *.kdbx and others.
bool is_secret_name(std::string_view file_name);

// Reads one text or Markdown file (.md and .markdown are Markdown, everything else is text when it holds text). The text is kept
// as the file has it, less a byte-order mark. It is opened from the folder that was found, component by component, without
// following a link: a link or a pipe that was put in its place since is refused. Throws not_found, invalid_argument (of another
// format, which its content says: PDF, HTML, RTF and others; binary: a NUL byte; not UTF-8; nothing but blanks; not a regular
// file; a private key; a name that isn't UTF-8), out_of_range (over 64 MiB), failed_precondition (no permission). The id is
// `path`.
Document load_document(const FoundFile& file);

// The file that a user names; links are followed. As above. The id is the path as given, relative to the working folder where it
// is below.
Document load_document(const std::filesystem::path& path);

// Throws what load_document would where `file`, an absolute path without links, can't be read as a document.
void require_at(const std::filesystem::path& file);

// Throws what an index would that is given this document: invalid_argument for an id that is not UTF-8 of 1 to 4,096 bytes, for
// metadata that is not UTF-8, and for text that is no text.
void require_document(const Document& document);

}  // namespace openbook::retriever
