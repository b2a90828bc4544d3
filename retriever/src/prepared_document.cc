#include "prepared_document.h"

#include <algorithm>
#include <cmath>

#include "openbook/base/error.h"
#include "openbook/base/lines.h"
#include "postings.h"

namespace openbook::retriever {
namespace {

constexpr size_t kChunksPerBatch = 32;  // what fits a cache well; also how long a cancellation waits

// Collects the texts of chunks and embeds them a batch at a time; each row goes to the document that its text is of.
class EmbeddingQueue {
 public:
  EmbeddingQueue(const Embedder& embedder, const Cancellation* cancellation) : embedder_(embedder), cancellation_(cancellation) {}

  void add(std::string text, std::vector<float>& vectors) {
    texts_.push_back(std::move(text));
    targets_.push_back(&vectors);
    if (texts_.size() == kChunksPerBatch) run();
  }

  void run() {
    if (cancellation_) cancellation_->check();
    if (texts_.empty()) return;
    const std::vector<float> rows = embedder_.embed(texts_);
    const auto dimension = static_cast<size_t>(embedder_.dimension());
    const bool finite = std::all_of(rows.begin(), rows.end(), [](float x) { return std::isfinite(x); });
    if (!finite || rows.size() != texts_.size() * dimension)
      throw Error(Code::kInternal, "embedder " + embedder_.name() + ": returned " + std::to_string(rows.size()) +
                                       " numbers for " + std::to_string(texts_.size()) + " texts" +
                                       (finite ? "" : ", not all of them finite"));
    for (size_t row = 0; row < texts_.size(); ++row)
      targets_[row]->insert(targets_[row]->end(), rows.begin() + static_cast<ptrdiff_t>(row * dimension),
                            rows.begin() + static_cast<ptrdiff_t>((row + 1) * dimension));
    texts_.clear();
    targets_.clear();
  }

 private:
  const Embedder& embedder_;
  const Cancellation* cancellation_;
  std::vector<std::string> texts_;
  std::vector<std::vector<float>*> targets_;  // by text
};

void prepare_one(const ToPrepare& given, const Embedder& embedder, const ChunkerOptions& chunking, EmbeddingQueue& queue,
                 PreparedDocument& prepared) {
  const Document& document = *given.document;
  const auto count = [&](std::string_view text) { return embedder.count_tokens(text); };
  const std::vector<ByteSpan> ranges = chunk_document(document.text, document.format, count, chunking);
  const std::vector<Line> lines = outline(split_lines(document.text));
  prepared.record = {.id = document.id,
                     .sha256 = given.sha256,
                     .format = document.format,
                     .metadata = document.metadata,
                     .chunking = chunking,
                     .bytes = document.text.size(),
                     .first_chunk = 0,
                     .chunks = {},
                     .file = document.file};
  std::vector<std::vector<std::string>> terms_of_chunks;
  for (const ByteSpan range : ranges) {
    const std::string_view text = slice(document.text, range);
    const std::string context = context_above(document.text, document.format, lines, range.begin);
    terms_of_chunks.push_back(index_terms(text));
    prepared.record.chunks.push_back({range, terms_of_chunks.back().size(), text_key(text, context)});
    queue.add((context.empty() ? "" : context + "\n") + std::string(text), prepared.vectors);
  }
  prepared.postings = encode_postings(terms_of_chunks);
}

}  // namespace

std::vector<PreparedDocument> prepare(const std::vector<ToPrepare>& documents, const Embedder& embedder,
                                      const ChunkerOptions& chunking, const Cancellation* cancellation) {
  std::vector<PreparedDocument> prepared(documents.size());
  EmbeddingQueue queue(embedder, cancellation);
  for (size_t i = 0; i < documents.size(); ++i) prepare_one(documents[i], embedder, chunking, queue, prepared[i]);
  queue.run();
  return prepared;
}

}  // namespace openbook::retriever
