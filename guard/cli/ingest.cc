// openbook ingest: puts documents in an index, replaces those that changed, and removes those whose files are gone.
#include <algorithm>
#include <iostream>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/retriever/retriever.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using retriever::IngestOutcome;
using retriever::Retriever;

constexpr char kSource[] = "source";  // metadata key: "stdin" for what has no file

struct IngestFlags {
  std::vector<std::string> paths;
  std::string index, embedder, device = "auto", stdin_id;
  bool remove_gone = false;
};

bool from_stdin(const IngestFlags& flags) { return std::find(flags.paths.begin(), flags.paths.end(), "-") != flags.paths.end(); }

struct Summary {
  size_t outcomes[3] = {};  // by IngestOutcome
  size_t chunks = 0;
  std::vector<std::string> removed;
  std::vector<std::pair<std::string, std::string>> skipped;  // path, why
  Json documents = Json::array();
};

std::string_view outcome_name(IngestOutcome outcome) {
  switch (outcome) {
    case IngestOutcome::kAdded:
      return "added";
    case IngestOutcome::kReplaced:
      return "replaced";
    case IngestOutcome::kUnchanged:
      return "unchanged";
  }
  return "unknown";
}

bool lies_under(const fs::path& path, const fs::path& folder) {
  const fs::path inside = fs::absolute(path).lexically_normal();
  fs::path outside = fs::absolute(folder).lexically_normal();
  if (!outside.has_filename()) outside = outside.parent_path();
  return std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end()).first == outside.end();
}

void skip(const fs::path& path, const std::string& why, Summary& summary) {
  std::cerr << "openbook: skipped: " << escape_line(why) << "\n";
  summary.skipped.emplace_back(path, why);
}

// What is wrong with one file and leaves the others as they are.
bool spoils_one_document(Code code) {
  return code == Code::kInvalidArgument || code == Code::kOutOfRange || code == Code::kNotFound ||
         code == Code::kFailedPrecondition;
}

void add_document(Retriever& index, const retriever::Document& document, Summary& summary, const Cancellation& cancellation) {
  const retriever::IngestReport report = index.ingest(document, &cancellation);
  ++summary.outcomes[static_cast<size_t>(report.outcome)];
  summary.chunks += report.chunks;
  summary.documents.push_back(
      {{"id", document.id}, {"outcome", outcome_name(report.outcome)}, {"sha256", report.sha256}, {"chunks", report.chunks}});
}

[[noreturn]] void refuse_nothing(const retriever::FoundDocuments& found) {
  std::string message = "no documents found";
  for (const auto& [path, why] : found.unreadable) message += "; " + path.string() + ": " + why;
  throw Error(Code::kInvalidArgument, message, "Name text or Markdown files, or a folder that holds some.");
}

// Known not to be there: what merely can't be looked at may be.
bool is_gone(const fs::path& path) {
  std::error_code unknown;
  return fs::status(path, unknown).type() == fs::file_type::not_found;
}

// Looked for before the index is opened, so that a mistake in the paths makes none. With --delete a path may be gone, or hold
// nothing any more, when the index has documents of it.
retriever::FoundDocuments documents_at(const IngestFlags& flags, const fs::path& folder) {
  std::vector<fs::path> there, gone;
  for (const std::string& path : flags.paths)
    if (path != "-") (flags.remove_gone && is_gone(path) ? gone : there).emplace_back(path);
  retriever::FoundDocuments found = retriever::find_documents(there);
  const bool nothing = found.files.empty() && !from_stdin(flags);
  if (gone.empty() && !nothing) return found;

  std::vector<retriever::StoredDocument> indexed;
  if (flags.remove_gone && !is_gone(folder))
    indexed = Retriever::open(folder, nullptr, retriever::OpenMode::kReadOnly)->documents();
  const auto was_indexed = [&](const fs::path& path) {
    return std::any_of(indexed.begin(), indexed.end(), [&](const auto& document) { return lies_under(document.id, path); });
  };
  for (const fs::path& path : gone)
    if (!was_indexed(path)) throw Error(Code::kNotFound, path.string() + ": no such file or folder, and none in the index");
  if (nothing && std::none_of(flags.paths.begin(), flags.paths.end(), was_indexed)) refuse_nothing(found);
  return found;
}

void remove_gone_documents(const IngestFlags& flags, Retriever& index, Summary& summary) {
  for (const retriever::StoredDocument& document : index.documents()) {
    const auto source = document.metadata.find(kSource);
    if (source != document.metadata.end() && source->second == "stdin") continue;
    const bool named = std::any_of(flags.paths.begin(), flags.paths.end(),
                                   [&](const std::string& path) { return path != "-" && lies_under(document.id, path); });
    if (named && is_gone(document.id) && index.remove(document.id)) summary.removed.push_back(document.id);
  }
}

retriever::Document stdin_document(const IngestFlags& flags) {
  retriever::Document document{
      .id = flags.stdin_id, .text = read_stdin(retriever::kMaxDocumentBytes), .format = "text", .metadata = {{kSource, "stdin"}}};
  retriever::require_document(document);
  return document;
}

void ingest_files(const std::vector<fs::path>& files, Retriever& index, Summary& summary, const Cancellation& cancellation) {
  ProgressBar bar;
  for (size_t i = 0; i < files.size(); ++i) {
    bar.update("ingest", static_cast<int64_t>(i), static_cast<int64_t>(files.size()));
    cancellation.check();
    std::optional<retriever::Document> document;
    try {
      document = retriever::load_document(files[i]);
      add_document(index, *document, summary, cancellation);
    } catch (const Error& error) {
      if (document && !spoils_one_document(error.code())) throw;  // without, it is the file that can't be read
      bar.clear();
      skip(files[i], error.what(), summary);
    }
  }
}

size_t done(const Summary& summary) { return summary.outcomes[0] + summary.outcomes[1] + summary.outcomes[2]; }

void report(const Summary& summary, const fs::path& folder, const Retriever& index, bool json) {
  const auto count = [&](IngestOutcome outcome) { return summary.outcomes[static_cast<size_t>(outcome)]; };
  if (json) {
    Json skipped = Json::array();
    for (const auto& [path, why] : summary.skipped) skipped.push_back({{"path", path}, {"why", why}});
    print_json({{"index", folder.string()},
                {"generation", index.generation()},
                {"added", count(IngestOutcome::kAdded)},
                {"replaced", count(IngestOutcome::kReplaced)},
                {"unchanged", count(IngestOutcome::kUnchanged)},
                {"removed", summary.removed},
                {"skipped", std::move(skipped)},
                {"documents", summary.documents}});
    return;
  }
  print(plural(done(summary), "document") + ": " + std::to_string(count(IngestOutcome::kAdded)) + " added, " +
        std::to_string(count(IngestOutcome::kReplaced)) + " replaced, " + std::to_string(count(IngestOutcome::kUnchanged)) +
        " unchanged; " + std::to_string(summary.removed.size()) + " removed, " + std::to_string(summary.skipped.size()) +
        " skipped\nindex " + escape_line(folder.string()) + ": " + plural(index.documents().size(), "document") + ", " +
        plural(index.chunk_count(), "chunk") + "\n");
}

void check_usage(const IngestFlags& flags) {
  if (from_stdin(flags) && flags.stdin_id.empty())
    throw CLI::ValidationError("- needs --id NAME, the document's name in citations");
  if (!from_stdin(flags) && !flags.stdin_id.empty())
    throw CLI::ValidationError("--id names the document that comes from stdin, and - is not among the paths");
  if (escape_line(flags.stdin_id) != flags.stdin_id)
    throw CLI::ValidationError("--id: \"" + escape_line(flags.stdin_id) + "\" has characters that can't be shown in a line");
}

int ingest(const IngestFlags& flags, const Context& context) {
  const fs::path folder = find_named(Place::kIndex, flags.index).path;
  check_usage(flags);
  const retriever::FoundDocuments found = documents_at(flags, folder);
  std::optional<retriever::Document> from_pipe;
  if (from_stdin(flags)) from_pipe = stdin_document(flags);
  const auto embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  const auto index = Retriever::open(folder, embedder, retriever::OpenMode::kReadWrite);
  Summary summary;
  for (const auto& [path, why] : found.unreadable) skip(path, path.string() + ": " + why, summary);
  try {
    if (from_pipe) add_document(*index, *from_pipe, summary, context.cancellation);
    ingest_files(found.files, *index, summary, context.cancellation);
    if (flags.remove_gone) remove_gone_documents(flags, *index, summary);
    index->flush();
  } catch (const Error&) {
    if (done(summary) > 0)
      std::cerr << "openbook: stopped after " << plural(done(summary), "document")
                << "; they are in the index, run it again to go on\n";
    throw;
  }
  report(summary, folder, *index, context.json());
  return summary.skipped.empty() ? kDone : kFailed;
}

}  // namespace

void add_ingest(CLI::App& app, Context& context) {
  auto flags = std::make_shared<IngestFlags>();
  CLI::App* verb = add_verb(app, context, "ingest",
                            "Puts text and Markdown files in an index. Files that changed are replaced, others left alone. What "
                            "can't be read is skipped,\n"
                            "said so, and makes the exit status 1; a run that was stopped goes on when it is run again.",
                            "openbook ingest handbook/ notes.md --index handbook.index\n"
                            "openbook ingest handbook/ --delete --index handbook.index\n"
                            "pdftotext leave.pdf - | openbook ingest - --id leave.pdf --index handbook.index");
  verb->add_option("paths", flags->paths, "files, and folders with all that is below; - is stdin")->required();
  verb->add_flag("--delete", flags->remove_gone, "also remove documents under these paths whose files are gone");
  verb->add_option("--id", flags->stdin_id, "name of the document that comes from stdin")->type_name("NAME");
  verb->add_option("--device", flags->device, "cpu, cuda, or auto: cuda when there is one")
      ->type_name("DEVICE")
      ->capture_default_str();
  add_place(*verb, Place::kIndex, flags->index)->description("index, made when it isn't there (or OPENBOOK_INDEX)");
  add_place(*verb, Place::kEmbedder, flags->embedder);
  verb->callback([flags, &context] { context.run = [flags, &context] { return ingest(*flags, context); }; });
}

}  // namespace openbook::cli
