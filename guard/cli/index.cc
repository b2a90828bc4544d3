// openbook index: what an index holds, and how a document is got rid of.
#include <iostream>
#include <set>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "openbook/retriever/document_names.h"
#include "openbook/retriever/retriever.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using retriever::OpenMode;
using retriever::Retriever;
using retriever::StoredDocument;

struct IndexFlags {
  std::string index;
  std::vector<std::string> ids;
};

// No embedder: nothing is embedded here.
std::unique_ptr<Retriever> open_to_read(const IndexFlags& flags) {
  return Retriever::open(find(Place::kIndex, flags.index).path, nullptr, OpenMode::kReadOnly);
}
std::unique_ptr<Retriever> open_to_write(const IndexFlags& flags) {
  return Retriever::open(find_named(Place::kIndex, flags.index).path, nullptr, OpenMode::kReadWrite);
}

Json time_json(int64_t ms) { return ms == 0 ? Json() : Json(time_text(ms)); }

int list(const IndexFlags& flags, const Context& context) {
  const std::vector<StoredDocument> documents = open_to_read(flags)->documents();
  if (context.json()) {
    Json rows = Json::array();
    for (const StoredDocument& document : documents)
      rows.push_back({{"id", document.id},
                      {"sha256", document.sha256},
                      {"format", document.format},
                      {"bytes", document.bytes},
                      {"chunks", document.chunks},
                      {"ingested", time_json(document.ingested_ms)},
                      {"file", document.file.empty() ? Json() : Json(document.file)},
                      {"metadata", document.metadata}});
    print_json({{"documents", std::move(rows)}});
    return kDone;
  }
  for (const StoredDocument& document : documents) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "  %10zu bytes  %6zu chunks  ", document.bytes, document.chunks);
    const std::string when = document.ingested_ms == 0 ? std::string(24, '-') : time_text(document.ingested_ms);
    print(document.sha256.substr(0, 12) + numbers + when + "  " + paint(Style::kStrong, escape_line(document.id)) + "\n");
  }
  if (documents.empty()) print("no documents\n");
  return kDone;
}

int describe(const IndexFlags& flags, const Context& context) {
  const fs::path folder = find(Place::kIndex, flags.index).path;
  const auto about = Retriever::open(folder, nullptr, OpenMode::kReadOnly)->describe();
  if (context.json()) {
    Json roots = Json::array();
    for (const auto& [root, prefix] : about.roots) roots.push_back({{"folder", root}, {"prefix", prefix}});
    print_json({{"index", folder.string()},
                {"format", about.format},
                {"generation", about.generation},
                {"embedder", about.embedder},
                {"documents", about.documents},
                {"chunks", about.chunks},
                {"text_bytes", about.text_bytes},
                {"old_versions", about.old_versions},
                {"roots", std::move(roots)}});
    return kDone;
  }
  std::string text = "index " + escape_line(folder.string()) + ", format \"" + about.format + "\", generation " +
                     std::to_string(about.generation) + "\nembedder " + escape_line(about.embedder) + "\n" +
                     plural(about.documents, "document") + ", " + plural(about.chunks, "chunk") + ", " +
                     size_text(about.text_bytes) + " of text; old versions kept until gc: " + std::to_string(about.old_versions) +
                     "\n";
  for (const auto& [root, prefix] : about.roots)
    text += "root " + escape_line(root) + (prefix.empty() ? "" : "  named " + escape_line(prefix)) + "\n";
  print(text);
  return kDone;
}

// The documents that were named, by id or by the path of their file, and the names that there are none of.
struct Chosen {
  std::set<std::string> ids;
  std::vector<std::string> unknown;

  Chosen(const Retriever& index, const std::vector<std::string>& names_given) {
    const retriever::DocumentNames names(index.roots(), index.documents());
    for (const std::string& name : names_given) {
      if (const auto id = names.find(name))
        ids.insert(*id);
      else
        unknown.push_back(name);
    }
  }

  void say_unknown() const {
    for (const std::string& name : unknown)
      std::cerr << "openbook: " << escape_line(name) << ": the index has no document of that name\n"
                << "  openbook index list shows the names.\n";
  }
};

int report(const Context& context, const std::string& done, const Chosen& chosen) {
  if (context.json())
    print_json({{done, chosen.ids}, {"not_found", chosen.unknown}});
  else
    for (const std::string& id : chosen.ids) print(done + " " + escape_line(id) + "\n");
  chosen.say_unknown();
  return chosen.unknown.empty() ? kDone : kFailed;
}

int remove(const IndexFlags& flags, const Context& context) {
  const auto index = open_to_write(flags);
  const Chosen chosen(*index, flags.ids);
  for (const std::string& id : chosen.ids) {
    context.cancellation.check();
    index->remove(id);
  }
  if (!chosen.ids.empty()) index->flush();
  return report(context, "removed", chosen);
}

// Texts are stored once, by their hash: one that another document has, too, can't go.
void say_shared_texts(const Retriever& index, const Chosen& chosen) {
  std::map<std::string, std::string> erased;  // SHA-256 -> id
  for (const StoredDocument& document : index.documents())
    if (chosen.ids.contains(document.id)) erased.emplace(document.sha256, document.id);
  for (const StoredDocument& document : index.documents())
    if (const auto same = erased.find(document.sha256); same != erased.end() && !chosen.ids.contains(document.id))
      std::cerr << "openbook: the text of " << escape_line(same->second) << " stays, for " << escape_line(document.id)
                << " has the same\n";
}

int erase(const IndexFlags& flags, const Context& context) {
  const auto index = open_to_write(flags);
  const Chosen chosen(*index, flags.ids);
  say_shared_texts(*index, chosen);
  index->erase({chosen.ids.begin(), chosen.ids.end()});
  return report(context, "erased", chosen);
}

int collect_garbage(const IndexFlags& flags, const Context& context) {
  const size_t dropped = open_to_write(flags)->gc();
  context.json() ? print_json({{"old_versions_dropped", dropped}})
                 : print("dropped " + plural(dropped, "old version") + "; nothing of removed documents is left on disk\n");
  return kDone;
}

using Run = int (*)(const IndexFlags& flags, const Context& context);

void add(CLI::App& group, Context& context, Run run, const char* name, const char* summary, const char* example,
         const char* ids = nullptr) {
  auto flags = std::make_shared<IndexFlags>();
  CLI::App* verb = add_verb(group, context, name, summary, example);
  if (ids) verb->add_option("ids", flags->ids, ids)->type_name("ID")->required();
  add_place(*verb, Place::kIndex, flags->index);
  verb->callback([flags, run, &context] { context.run = [flags, run, &context] { return run(*flags, context); }; });
}

}  // namespace

void add_index(CLI::App& app, Context& context) {
  CLI::App* group = add_group(app, "index", "Shows what an index holds, and takes documents out of it.",
                              "openbook index list --index handbook.index\n"
                              "openbook index erase staff/quill.md --index handbook.index");
  constexpr char kIds[] = "documents: their ids, as `index list` shows them, or paths of their files";
  add(*group, context, list, "list", "Shows the documents: hash, size, chunks, when they were ingested, and id.",
      "openbook index list --index handbook.index");
  add(*group, context, describe, "info", "Shows format, embedder, generation, counts and roots.",
      "openbook index info --index handbook.index");
  add(*group, context, remove, "remove",
      "Removes documents, those from stdin too: they are found no more. Their texts stay on disk until gc, so that old\n"
      "citations can be read. Exit status 1 when one is not in the index.",
      "openbook index remove notes.md memo-3 --index handbook.index", kIds);
  add(*group, context, collect_garbage, "gc",
      "Takes off the disk what no current document has: texts of old versions, and whatever is left of removed documents.",
      "openbook index gc --index handbook.index");
  add(*group, context, erase, "erase",
      "Removes documents and takes them off the disk: no file of the index has their text, terms, vectors, ids or metadata\n"
      "afterwards. So it goes with all old versions of other documents, as with gc. Copies elsewhere (backups, snapshots of the\n"
      "file system, a provenance log) are not touched.",
      "openbook index erase staff/quill.md --index handbook.index", kIds);
}

}  // namespace openbook::cli
