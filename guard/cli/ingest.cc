// openbook ingest: puts documents in an index, replaces those that changed, and withdraws those that can't be read any more.
#include <algorithm>
#include <iostream>
#include <set>

#include "guard_flags.h"
#include "openbook/base/error.h"
#include "openbook/base/hidden_text.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/retriever/document_names.h"
#include "openbook/retriever/retriever.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using retriever::DocumentNames;
using retriever::FoundFile;
using retriever::IngestOutcome;
using retriever::Retriever;

constexpr char kSource[] = "source";  // metadata key: "stdin" for what has no file
// Documents that are stored in one batch: enough short ones that their chunks fill what is embedded at a time, and few enough
// that little is lost when it is stopped.
constexpr size_t kDocumentsPerBatch = 32;
constexpr size_t kBytesPerBatch = size_t{1} << 16;

struct IngestFlags {
  std::vector<std::string> paths;
  std::string index, embedder, device = "auto", stdin_id;
  retriever::FileRules rules;
  bool remove_gone = false, keep_stale = false;
};

bool from_stdin(const IngestFlags& flags) { return std::find(flags.paths.begin(), flags.paths.end(), "-") != flags.paths.end(); }

struct Summary {
  size_t outcomes[3] = {};             // by IngestOutcome
  std::vector<std::string> removed;    // ids whose files are gone
  std::vector<std::string> gone;       // the same, not asked to be removed
  std::vector<std::string> withdrawn;  // ids whose files can't be read any more
  std::vector<std::string> stale;      // the same, kept on request
  std::vector<retriever::PassedOver> skipped, secrets;
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

void say(const std::string& message, const std::string& hint = "") {
  std::cerr << "openbook: " << escape_line(message) << "\n";
  if (!hint.empty()) std::cerr << "  " << escape_line(hint) << "\n";
}

// Absolute, without links but in its last component.
fs::path location_of(const fs::path& path) {
  std::error_code failed;
  fs::path spelled = fs::absolute(path, failed).lexically_normal();
  if (!spelled.has_filename()) spelled = spelled.parent_path();
  const fs::path folder = fs::weakly_canonical(spelled.parent_path(), failed);
  return failed ? spelled : folder / spelled.filename();
}

// The same without any link, as far as it exists.
fs::path target_of(const fs::path& path) {
  std::error_code failed;
  const fs::path location = location_of(path);
  const fs::path target = fs::weakly_canonical(location, failed);
  return failed ? location : target;
}

// What was named on the command line, as far as it is a file or a folder.
struct Named {
  std::vector<fs::path> there;
  std::vector<fs::path> gone;       // with --delete: nothing is there any more
  std::vector<fs::path> locations;  // of all of them: absolute, without links
};

Named named_paths(const IngestFlags& flags) {
  Named named;
  for (const std::string& path : flags.paths) {
    if (path == "-") continue;
    std::error_code unknown;
    const bool gone = fs::status(path, unknown).type() == fs::file_type::not_found;
    (flags.remove_gone && gone ? named.gone : named.there).emplace_back(path);
    named.locations.push_back(target_of(path));
  }
  return named;
}

[[noreturn]] void refuse_nothing(const retriever::FoundDocuments& found) {
  std::string message = "no documents found";
  for (const auto* passed_over : {&found.unreadable, &found.secrets})
    for (const auto& [path, why, hint] : *passed_over) message += "; " + path.string() + ": " + why;
  throw Error(Code::kInvalidArgument, message, "Name text or Markdown files, or a folder that holds some.");
}

// Looked for before the index is opened, so that a mistake in the paths makes none. A path may hold nothing any more when the
// index has documents of it.
retriever::FoundDocuments documents_at(const IngestFlags& flags, const Named& named, const fs::path& folder) {
  retriever::FoundDocuments found = retriever::find_documents(named.there, flags.rules);
  std::erase_if(found.files, [own = target_of(folder)](const FoundFile& file) { return retriever::lies_below(file.file, own); });
  const bool nothing = found.files.empty() && !from_stdin(flags);
  if (named.gone.empty() && !nothing) return found;

  std::vector<fs::path> indexed;
  if (!retriever::is_gone(folder / "rocksdb")) {
    const auto index = Retriever::open(folder, nullptr, retriever::OpenMode::kReadOnly);
    const DocumentNames names(index->roots(), index->documents());
    for (const auto& document : index->documents())
      if (const auto file = names.file_of(document.id); file && (flags.remove_gone || !retriever::is_gone(*file)))
        indexed.push_back(*file);
  }
  const auto was_indexed = [&](const fs::path& path) {
    return std::any_of(indexed.begin(), indexed.end(),
                       [location = target_of(path)](const fs::path& file) { return retriever::lies_below(file, location); });
  };
  for (const fs::path& path : named.gone)
    if (!was_indexed(path)) throw Error(Code::kNotFound, path.string() + ": no such file or folder, and none in the index");
  if (nothing && std::none_of(flags.paths.begin(), flags.paths.end(), was_indexed)) refuse_nothing(found);
  return found;
}

// One run of the verb over an open index.
class Ingest {
 public:
  Ingest(const IngestFlags& flags, Retriever& index, const Cancellation& cancellation)
      : flags_(flags), index_(index), cancellation_(cancellation), names_(index.roots(), index.documents()) {}

  // Names are given before anything changes: two files of one name are refused, and nothing has happened.
  void name(const retriever::FoundDocuments& found, const retriever::Document* from_pipe) {
    if (from_pipe) names_.require_no_file(from_pipe->id);
    for (const FoundFile& file : found.files) ids_.push_back(names_.id_of(file));
    index_.set_roots(names_.roots());
  }

  void say_passed_over(const retriever::FoundDocuments& found) {
    for (const auto& [path, why, hint] : found.unreadable) {
      skip({path, path.string() + ": " + why, hint});
      passed_over_.insert(location_of(path));
    }
    for (const auto& [path, why, hint] : found.secrets) {
      say(path.string() + ": " + why, hint);
      summary_.secrets.push_back({path, why, hint});
      passed_over_.insert(location_of(path));
    }
  }

  void add(retriever::Document document) {
    bytes_waiting_ += document.text.size();
    waiting_.push_back(std::move(document));
    if (waiting_.size() == kDocumentsPerBatch || bytes_waiting_ >= kBytesPerBatch) store();
  }

  void add_files(const std::vector<FoundFile>& files) {
    ProgressBar bar;
    for (size_t i = 0; i < files.size(); ++i) {
      bar.update("ingest", static_cast<int64_t>(done() + summary_.skipped.size()), static_cast<int64_t>(files.size()));
      cancellation_.check();
      read_.insert(files[i].file);
      std::optional<retriever::Document> document;
      try {
        document = retriever::load_document(files[i]);
        document->id = ids_[i];
        retriever::require_document(*document);
      } catch (const Error& error) {
        bar.clear();
        skip({files[i].path, error.what(), error.hint()});
        withdraw(ids_[i]);
        continue;
      }
      add(*std::move(document));
    }
    store();
  }

  void store() {
    const std::vector<retriever::IngestReport> reports = index_.ingest(waiting_, &cancellation_);
    for (size_t i = 0; i < reports.size(); ++i) {
      const auto& [outcome, sha256, chunks] = reports[i];
      ++summary_.outcomes[static_cast<size_t>(outcome)];
      summary_.documents.push_back({{"id", waiting_[i].id},
                                    {"outcome", outcome_name(outcome)},
                                    {"sha256", sha256},
                                    {"chunks", chunks},
                                    {"hidden_pieces", hidden_text(waiting_[i].text, waiting_[i].format).size()}});
      if (outcome != IngestOutcome::kUnchanged) note_hidden_text(waiting_[i]);
    }
    waiting_.clear();
    bytes_waiting_ = 0;
  }

  // Documents of the paths that were named whose files this run did not come by.
  void look_after_the_rest(const std::vector<fs::path>& locations) {
    for (const retriever::StoredDocument& document : index_.documents()) {
      const auto file = names_.file_of(document.id);
      if (!file || read_.contains(*file) || !asked_for(*file, locations)) continue;
      if (passed_over_.contains(*file)) {
        withdraw(document.id);
      } else if (!retriever::is_gone(*file)) {
        withdraw_unless_readable(document.id, *file);
      } else if (flags_.remove_gone) {
        if (index_.remove(document.id)) summary_.removed.push_back(document.id);
      } else {
        say("gone: " + document.id + ": its file is not there any more, and its text is still found", "--delete removes it.");
        summary_.gone.push_back(document.id);
      }
    }
  }

  const Summary& summary() const { return summary_; }
  size_t done() const { return summary_.outcomes[0] + summary_.outcomes[1] + summary_.outcomes[2]; }

 private:
  void skip(retriever::PassedOver passed_over) {
    say("skipped: " + passed_over.why, passed_over.hint);
    summary_.skipped.push_back(std::move(passed_over));
  }

  // A document whose file can't be read now: what it said before is no answer any more.
  void withdraw(const std::string& id) {
    if (flags_.keep_stale) {
      const auto documents = index_.documents();
      if (std::none_of(documents.begin(), documents.end(), [&](const auto& document) { return document.id == id; })) return;
      say("stale: " + id + ": the version of before stays in the index and is still found, though its file can't be read now");
      summary_.stale.push_back(id);
    } else if (index_.remove(id)) {
      say("withdrawn: " + id + ": the version of before is not found any more", "--keep-stale keeps it.");
      summary_.withdrawn.push_back(id);
    }
  }

  // In a hidden folder, or given by its own path before: a file may be readable though the walk passes it by.
  void withdraw_unless_readable(const std::string& id, const fs::path& file) {
    try {
      retriever::require_at(file);
    } catch (const Error& error) {
      skip({file, error.what(), error.hint()});
      withdraw(id);
    }
  }

  bool asked_for(const fs::path& file, const std::vector<fs::path>& locations) const {
    return std::any_of(locations.begin(), locations.end(), [&](const fs::path& location) {
      if (!retriever::lies_below(file, location)) return false;
      const fs::path below = file == location ? file.filename() : file.lexically_relative(location);
      return !retriever::is_excluded(below, flags_.rules);
    });
  }

  const IngestFlags& flags_;
  Retriever& index_;
  const Cancellation& cancellation_;
  DocumentNames names_;
  std::vector<std::string> ids_;              // by found file
  std::vector<retriever::Document> waiting_;  // for the next batch
  size_t bytes_waiting_ = 0;
  std::set<fs::path> read_;         // or tried to
  std::set<fs::path> passed_over_;  // and said so
  Summary summary_;
};

retriever::Document stdin_document(const IngestFlags& flags) {
  retriever::Document document{
      .id = flags.stdin_id, .text = read_stdin(retriever::kMaxDocumentBytes), .format = "text", .metadata = {{kSource, "stdin"}}};
  retriever::require_document(document);
  return document;
}

Json to_json(const std::vector<retriever::PassedOver>& passed_over) {
  Json rows = Json::array();
  for (const auto& [path, why, hint] : passed_over) rows.push_back({{"path", path.string()}, {"why", why}, {"hint", hint}});
  return rows;
}

void report_json(const Summary& summary, const fs::path& folder, const Retriever& index) {
  print_json({{"index", folder.string()},
              {"generation", index.generation()},
              {"added", summary.outcomes[static_cast<size_t>(IngestOutcome::kAdded)]},
              {"replaced", summary.outcomes[static_cast<size_t>(IngestOutcome::kReplaced)]},
              {"unchanged", summary.outcomes[static_cast<size_t>(IngestOutcome::kUnchanged)]},
              {"removed", summary.removed},
              {"withdrawn", summary.withdrawn},
              {"stale", summary.stale},
              {"gone", summary.gone},
              {"skipped", to_json(summary.skipped)},
              {"left_out", to_json(summary.secrets)},
              {"documents", summary.documents}});
}

void report_text(const Summary& summary, const fs::path& folder, const Retriever& index) {
  const auto count = [&](IngestOutcome outcome) { return std::to_string(summary.outcomes[static_cast<size_t>(outcome)]); };
  std::string text = plural(summary.documents.size(), "document") + ": " + count(IngestOutcome::kAdded) + " added, " +
                     count(IngestOutcome::kReplaced) + " replaced, " + count(IngestOutcome::kUnchanged) + " unchanged; " +
                     std::to_string(summary.removed.size()) + " removed, " + std::to_string(summary.skipped.size()) + " skipped";
  if (!summary.withdrawn.empty()) text += ", " + std::to_string(summary.withdrawn.size()) + " withdrawn";
  if (!summary.stale.empty()) text += ", " + std::to_string(summary.stale.size()) + " stale";
  text += "\nindex " + escape_line(folder.string()) + ": " + plural(index.documents().size(), "document") + ", " +
          plural(index.chunk_count(), "chunk") + "\n";
  for (const std::string& id : summary.removed) text += "removed " + escape_line(id) + "\n";
  for (const std::string& id : summary.withdrawn) text += "withdrawn " + escape_line(id) + "\n";
  print(text);
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
  const Named named = named_paths(flags);
  const retriever::FoundDocuments found = documents_at(flags, named, folder);
  std::optional<retriever::Document> from_pipe;
  if (from_stdin(flags)) from_pipe = stdin_document(flags);
  const auto embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  const auto index = Retriever::open(folder, embedder, retriever::OpenMode::kReadWrite);
  Ingest run(flags, *index, context.cancellation);
  run.name(found, from_pipe ? &*from_pipe : nullptr);
  run.say_passed_over(found);
  try {
    if (from_pipe) run.add(*std::move(from_pipe));
    run.add_files(found.files);
    run.look_after_the_rest(named.locations);
    index->flush();
  } catch (const Error&) {
    if (run.done() > 0)
      std::cerr << "openbook: stopped after " << plural(run.done(), "document")
                << "; they are in the index, run it again to go on\n";
    throw;
  }
  context.json() ? report_json(run.summary(), folder, *index) : report_text(run.summary(), folder, *index);
  return run.summary().skipped.empty() ? kDone : kFailed;
}

}  // namespace

void add_ingest(CLI::App& app, Context& context) {
  auto flags = std::make_shared<IngestFlags>();
  CLI::App* verb =
      add_verb(app, context, "ingest",
               "Puts text and Markdown files in an index. Files that changed are replaced, others left alone. What "
               "can't be read is skipped,\n"
               "said so, and makes the exit status 1; its version of before is withdrawn. A document is its file, by\n"
               "whatever path it is given. A run that was stopped goes on when it is run again.",
               "openbook ingest handbook/ notes.md --index handbook.index\n"
               "openbook ingest handbook/ --delete --index handbook.index\n"
               "openbook ingest project/ --include '*.md' --exclude 'drafts/' --index project.index\n"
               "pdftotext leave.pdf - | openbook ingest - --id leave.pdf --index handbook.index");
  verb->add_option("paths", flags->paths, "files, and folders with all that is below; - is stdin")->required();
  verb->add_flag("--delete", flags->remove_gone, "also remove documents under these paths whose files are gone");
  verb->add_flag("--keep-stale", flags->keep_stale,
                 "keep what is in the index of a file that can't be read now (default: it is withdrawn)");
  verb->add_option("--include", flags->rules.include,
                   "only files that this names: *.md by name, docs/**/a?.txt by path below PATH; may be given again")
      ->type_name("GLOB")
      ->expected(1);
  verb->add_option("--exclude", flags->rules.exclude,
                   "not these files and folders, by the same rules; goes before --include; may be given again")
      ->type_name("GLOB")
      ->expected(1);
  verb->add_option("--id", flags->stdin_id, "name of the document that comes from stdin")->type_name("NAME");
  verb->add_option("--device", flags->device, "cpu, cuda, or auto: cuda when there is one")
      ->type_name("DEVICE")
      ->capture_default_str();
  add_place(*verb, Place::kIndex, flags->index)->description("index, made when it isn't there (or OPENBOOK_INDEX)");
  add_place(*verb, Place::kEmbedder, flags->embedder);
  verb->callback([flags, &context] { context.run = [flags, &context] { return ingest(*flags, context); }; });
}

}  // namespace openbook::cli
