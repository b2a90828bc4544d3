// Cuts a document into chunks by sentence borders, to a token budget, with overlap.
//
// Every chunk is a contiguous byte range of the document. Sentences longer than the budget are cut at word borders, then at code
// points. Headings of Markdown start a new chunk. Deterministic; thread-safe.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook::retriever {

struct ChunkerOptions {
  int64_t max_tokens = 200;     // in the embedder's tokens: below MiniLM's 256
  int64_t overlap_tokens = 30;  // whole sentences repeated from the chunk before, at most this much
};

using CountTokens = std::function<int64_t(std::string_view)>;

std::vector<ByteSpan> chunk_document(std::string_view text, std::string_view format, const CountTokens& count,
                                     const ChunkerOptions& options = {});

// Sentence borders: ranges that cover `text` without its blank margins, in order. Also ends at blank lines, list items, headings and the
// sentence marks of Chinese; does not end at abbreviations, initials and decimal points.
std::vector<ByteSpan> split_sentences(std::string_view text);

}  // namespace openbook::retriever
