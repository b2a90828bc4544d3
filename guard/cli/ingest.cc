// openbook ingest: puts documents in an index, replaces those that changed, and removes those whose files are gone.
#include <algorithm>
#include <iostream>

#include "openbook/base/error.h"
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

// With --delete a path may be gone itself; without, or when nothing of it is in the index, that is an error of find_documents.
std::vector<fs::path> existing_files(const IngestFlags& flags, const Retriever& index) {
  std::vector<fs::path> paths;
  const auto documents = index.documents();
  for (const std::string& path : flags.paths) {
    const bool was_indexed =
        std::any_of(documents.begin(), documents.end(), [&](const auto& document) { return lies_under(document.id, path); });
    if (path != "-" && !(flags.remove_gone && was_indexed && !fs::exists(path))) paths.emplace_back(path);
  }
  return paths.empty() ? paths : retriever::find_documents(paths);
}

void remove_gone_documents(const IngestFlags& flags, Retriever& index, Summary& summary) {
  for (const retriever::StoredDocument& document : index.documents()) {
    const auto source = document.metadata.find(kSource);
    if (source != document.metadata.end() && source->second == "stdin") continue;
    const bool named = std::any_of(flags.paths.begin(), flags.paths.end(),
                                   [&](const std::string& path) { return path != "-" && lies_under(document.id, path); });
    std::error_code problem;
    if (named && !fs::exists(document.id, problem) && index.remove(document.id)) summary.removed.push_back(document.id);
  }
}

void ingest_all(const IngestFlags& flags, Retriever& index, Summary& summary, const Cancellation& cancellation) {
  if (std::find(flags.paths.begin(), flags.paths.end(), "-") != flags.paths.end())
    add_document(index,
                 {.id = flags.stdin_id,
                  .text = read_stdin(retriever::kMaxDocumentBytes),
                  .format = "text",
                  .metadata = {{kSource, "stdin"}}},
                 summary, cancellation);
  const std::vector<fs::path> files = existing_files(flags, index);
  ProgressBar bar;
  for (size_t i = 0; i < files.size(); ++i) {
    bar.update("ingest", static_cast<int64_t>(i), static_cast<int64_t>(files.size()));
    cancellation.check();
    try {
      add_document(index, retriever::load_document(files[i]), summary, cancellation);
    } catch (const Error& error) {
      if (!spoils_one_document(error.code())) throw;
      bar.clear();
      std::cerr << "openbook: skipped: " << shown(error.what()) << "\n";
      summary.skipped.emplace_back(files[i], error.what());
    }
  }
  if (flags.remove_gone) remove_gone_documents(flags, index, summary);
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
        " skipped\nindex " + shown(folder.string()) + ": " + plural(index.documents().size(), "document") + ", " +
        plural(index.chunk_count(), "chunk") + "\n");
}

int ingest(const IngestFlags& flags, const Context& context) {
  const fs::path folder = find_named(Place::kIndex, flags.index).path;
  const bool from_stdin = std::find(flags.paths.begin(), flags.paths.end(), "-") != flags.paths.end();
  if (from_stdin && flags.stdin_id.empty()) throw CLI::ValidationError("- needs --id NAME, the document's name in citations");
  const auto embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  const auto index = Retriever::open(folder, embedder, retriever::OpenMode::kReadWrite);
  Summary summary;
  try {
    ingest_all(flags, *index, summary, context.cancellation);
    index->flush();
  } catch (const Error&) {
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
