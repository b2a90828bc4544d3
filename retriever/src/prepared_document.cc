#include "prepared_document.h"

#include <algorithm>
#include <cmath>

#include "openbook/base/error.h"
#include "openbook/base/lines.h"
#include "postings.h"

namespace openbook::retriever {
namespace {

constexpr size_t kChunksPerBatch = 32;  // what fits a cache well; also how long a cancellation waits

void append_vectors(const std::vector<std::string>& texts, const Embedder& embedder, std::vector<float>& vectors) {
  const std::vector<float> rows = embedder.embed(texts);
  const bool finite = std::all_of(rows.begin(), rows.end(), [](float x) { return std::isfinite(x); });
  if (!finite || rows.size() != texts.size() * static_cast<size_t>(embedder.dimension()))
    throw Error(Code::kInternal, "embedder " + embedder.name() + ": returned " + std::to_string(rows.size()) + " numbers for " +
                                     std::to_string(texts.size()) + " texts" + (finite ? "" : ", not all of them finite"));
  vectors.insert(vectors.end(), rows.begin(), rows.end());
}

// The lines that context_above looks at: the headings, and the first line that isn't blank with the one after it. Each chunk
// walks them, and a long document has a million others.
std::vector<Line> outline(std::string_view text) {
  std::vector<Line> kept;
  size_t opening = 2;
  for (const Line& line : split_lines(text)) {
    const bool opens = opening > 0 && (opening == 1 || line.kind != LineKind::kBlank);
    if (opens || line.kind == LineKind::kHeading) kept.push_back(line);
    if (opens) --opening;
  }
  return kept;
}

}  // namespace

PreparedDocument prepare(const Document& document, const Sha256Digest& sha256, const Embedder& embedder,
                         const ChunkerOptions& chunking, const Cancellation* cancellation) {
  const auto count = [&](std::string_view text) { return embedder.count_tokens(text); };
  const std::vector<ByteSpan> ranges = chunk_document(document.text, document.format, count, chunking);
  const std::vector<Line> lines = outline(document.text);
  PreparedDocument prepared;
  prepared.record = {.id = document.id,
                     .sha256 = sha256,
                     .format = document.format,
                     .metadata = document.metadata,
                     .chunking = chunking,
                     .bytes = document.text.size(),
                     .first_chunk = 0,
                     .chunks = {}};
  std::vector<std::vector<std::string>> terms_of_chunks;
  std::vector<std::string> batch;
  for (const ByteSpan range : ranges) {
    terms_of_chunks.push_back(index_terms(slice(document.text, range)));
    prepared.record.chunks.push_back({range, terms_of_chunks.back().size()});
    const std::string context = context_above(document.text, document.format, lines, range.begin);
    batch.push_back((context.empty() ? "" : context + "\n") + std::string(slice(document.text, range)));
    if (batch.size() < kChunksPerBatch && terms_of_chunks.size() < ranges.size()) continue;
    if (cancellation) cancellation->check();
    append_vectors(batch, embedder, prepared.vectors);
    batch.clear();
  }
  prepared.postings = encode_postings(terms_of_chunks);
  return prepared;
}

}  // namespace openbook::retriever
