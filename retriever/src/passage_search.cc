#include "passage_search.h"

#include <algorithm>
#include <set>

#include "fusion.h"

namespace openbook::retriever {
namespace {

constexpr size_t kFusionDepth = 50;  // how far down a half's ranking may lift a chunk into the joined one

}  // namespace

PassageSearch::PassageSearch(SearchGround ground, const SearchOptions& options)
    : ground_(ground), options_(options), allowed_(ground.catalog.allowed(options.filter)) {}

std::vector<Passage> PassageSearch::run(std::string_view question, const std::vector<float>& query) {
  std::vector<Passage> passages;
  for (const Hit& hit : rank(question, query)) passages.push_back(passage(hit));
  return passages;
}

std::vector<Hit> PassageSearch::rank(std::string_view question, const std::vector<float>& query) {
  const auto by_words = [&](size_t depth) { return ground_.lexical.search(question, depth, allowed_); };
  const auto by_vectors = [&](size_t depth) { return ground_.dense->search(query, depth, allowed_); };
  switch (options_.mode) {
    case SearchMode::kWords:
      return distinct(by_words, options_.limit);
    case SearchMode::kVectors:
      return distinct(by_vectors, options_.limit);
    case SearchMode::kHybrid:
      break;
  }
  const size_t depth = std::max(options_.limit, kFusionDepth);
  const std::vector<Hit> vectors = distinct(by_vectors, depth), words = distinct(by_words, depth);
  return fuse(words, vectors, options_.limit);
}

// Goes down the ranking until there are `limit` texts, or no more chunks.
std::vector<Hit> PassageSearch::distinct(const std::function<std::vector<Hit>(size_t)>& ranking, size_t limit) {
  for (size_t depth = limit;; depth *= 4) {
    const std::vector<Hit> hits = ranking(depth);
    std::vector<Hit> firsts;
    std::set<uint64_t> seen;
    for (const Hit& hit : hits) {
      const uint64_t first = first_of_.try_emplace(key_of(hit.chunk_id), hit.chunk_id).first->second;
      if (seen.insert(first).second) firsts.push_back({first, hit.score});
      if (firsts.size() == limit) return firsts;
    }
    if (hits.size() < depth) return firsts;
  }
}

const PassageSearch::Read& PassageSearch::read(const DocumentRecord& document) {
  const auto [place, is_new] = reads_.try_emplace(document.sha256);
  if (is_new) {
    place->second.text = ground_.corpus.text(document.sha256);
    place->second.lines = split_lines(place->second.text);
  }
  return place->second;
}

TextKey PassageSearch::key_of(uint64_t chunk_id) {
  const DocumentRecord& document = ground_.catalog.owner(chunk_id);
  const ChunkRecord& chunk = document.chunks[chunk_id - document.first_chunk];
  if (chunk.key != TextKey{}) return chunk.key;
  const Read& stored = read(document);
  return text_key(slice(stored.text, chunk.range), context_above(stored.text, document.format, stored.lines, chunk.range.begin));
}

Passage PassageSearch::passage(const Hit& hit) {
  const DocumentRecord& document = ground_.catalog.owner(hit.chunk_id);
  const Read& stored = read(document);
  const ByteSpan range = document.chunks[hit.chunk_id - document.first_chunk].range;
  Passage passage{.document_id = document.id,
                  .document_sha256 = to_hex(document.sha256),
                  .chunk_id = hit.chunk_id,
                  .range = range,
                  .text = std::string(slice(stored.text, range)),
                  .context = context_above(stored.text, document.format, stored.lines, range.begin),
                  .line = line_number(stored.text, range.begin),
                  .score = hit.score};
  passage.also_in = other_holders(passage, key_of(hit.chunk_id));
  return passage;
}

// Among the allowed: a name would tell of a document that may not be found.
std::vector<std::string> PassageSearch::other_holders(const Passage& passage, const TextKey& key) const {
  std::set<std::string> ids;
  for (const ChunkRange& range : allowed_) {
    const DocumentRecord& document = ground_.catalog.owner(range.begin);
    const bool holds =
        std::any_of(document.chunks.begin(), document.chunks.end(), [&](const ChunkRecord& chunk) { return chunk.key == key; });
    if (holds && document.id != passage.document_id) ids.insert(document.id);
  }
  return {ids.begin(), ids.end()};
}

}  // namespace openbook::retriever
