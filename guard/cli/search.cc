// openbook search: the passages that `ask` would read.
#include <algorithm>
#include <map>

#include "openbook/base/utf8.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/retriever/retriever.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

using Json = nlohmann::ordered_json;
using retriever::SearchMode;

struct SearchFlags {
  std::string question, index, embedder, device = "auto", mode = "hybrid";
  size_t limit = 5;
};

SearchMode mode_named(const std::string& name) {
  if (name == "words") return SearchMode::kWords;
  return name == "vectors" ? SearchMode::kVectors : SearchMode::kHybrid;
}

// Lines of the documents, from 1, in which passages begin.
class LineFinder {
 public:
  explicit LineFinder(const retriever::Retriever& index) : index_(index) {}

  int64_t line_of(const Passage& passage) {
    const auto [place, is_new] = texts_.try_emplace(passage.document_sha256);
    if (is_new) place->second = index_.document_text(passage.document_sha256);
    const std::string& text = place->second;
    return 1 + std::count(text.begin(), text.begin() + std::min<int64_t>(passage.range.begin, static_cast<int64_t>(text.size())),
                          '\n');
  }

 private:
  const retriever::Retriever& index_;
  std::map<std::string, std::string> texts_;
};

// Which other documents have the same text: the first few by name.
std::string copies(const Passage& passage) {
  constexpr size_t kNamed = 3;
  if (passage.also_in.empty()) return "";
  std::string text = "  also in ";
  for (size_t i = 0; i < std::min(kNamed, passage.also_in.size()); ++i)
    text += (i == 0 ? "" : ", ") + escape_line(passage.also_in[i]);
  return passage.also_in.size() <= kNamed ? text : text + " and " + std::to_string(passage.also_in.size() - kNamed) + " more";
}

int search(const SearchFlags& flags, const Context& context) {
  const auto folder = find(Place::kIndex, flags.index).path;
  const SearchMode mode = mode_named(flags.mode);
  std::shared_ptr<const Embedder> embedder;  // words are found without
  if (mode != SearchMode::kWords) embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  const auto index = retriever::Retriever::open(folder, embedder, retriever::OpenMode::kReadOnly);
  const auto passages = index->search(text_or_stdin(flags.question), {.limit = flags.limit, .mode = mode, .filter = {}});
  LineFinder lines(*index);
  if (context.json()) {
    Json found = Json::array();
    for (const Passage& passage : passages)
      found.push_back({{"document", passage.document_id},
                       {"sha256", passage.document_sha256},
                       {"chunk", passage.chunk_id},
                       {"byte_begin", passage.range.begin},
                       {"byte_end", passage.range.end},
                       {"line", lines.line_of(passage)},
                       {"score", passage.score},
                       {"also_in", passage.also_in},
                       {"text", passage.text}});
    print_json({{"generation", index->generation()}, {"passages", std::move(found)}});
    return kDone;
  }
  size_t rank = 0;
  for (const Passage& passage : passages) {
    char score[32];
    std::snprintf(score, sizeof score, "%.4f", passage.score);
    print(std::to_string(++rank) + "  " +
          paint(Style::kStrong, escape_line(passage.document_id) + ":" + std::to_string(lines.line_of(passage))) +
          paint(Style::kFaint, std::string("  score ") + score + copies(passage)) + "\n   " + shown(passage.text, 3) + "\n\n");
  }
  if (passages.empty()) print("nothing found\n");
  return kDone;
}

}  // namespace

void add_search(CLI::App& app, Context& context) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* verb =
      add_verb(app, context, "search", "Shows the passages that `ask` would read, best first. No language model is needed.",
               "openbook search \"How many days of leave?\" --index handbook.index");
  verb->add_option("question", flags->question, "what to look for; - reads it from stdin")->required();
  add_place(*verb, Place::kIndex, flags->index);
  verb->add_option("--limit", flags->limit, "passages at most")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--mode", flags->mode, "by words (BM25, needs no text encoder), by vectors, or both joined")
      ->check(CLI::IsMember({"hybrid", "words", "vectors"}))
      ->capture_default_str();
  verb->add_option("--device", flags->device, "cpu, cuda, or auto: cuda when there is one")
      ->type_name("DEVICE")
      ->capture_default_str();
  add_place(*verb, Place::kEmbedder, flags->embedder);
  verb->callback([flags, &context] { context.run = [flags, &context] { return search(*flags, context); }; });
}

}  // namespace openbook::cli
