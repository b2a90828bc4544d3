// Cuts a document into chunks by sentence borders, to a token budget, with overlap.
//
// Every chunk is a contiguous byte range of the document; together they cover every visible byte that isn't blank and hold no
// other: front matter and what is hidden (openbook/base/hidden_text.h) is in none. Sentences longer than the budget are cut at
// word borders, then at code points. A Markdown heading starts a new chunk; the header of a table goes with its first row.
// Deterministic; thread-safe.
//
//   for (ByteSpan range : chunk_document(text, "markdown", count)) index(text.substr(range.begin, range.size()));
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook::retriever {

struct ChunkerOptions {
  int64_t max_tokens = 200;     // in the embedder's tokens, at least 8: below MiniLM's 256, which leaves room for the heading
  int64_t overlap_tokens = 30;  // whole sentences repeated from the chunk before, at most this much; never across a heading

  bool operator==(const ChunkerOptions&) const = default;
};

// Which rules documents are cut by. An index that was cut by older ones opens; what is ingested again is cut anew.
inline constexpr uint64_t kChunkRules = 2;

using CountTokens = std::function<int64_t(std::string_view)>;

// A token counts as at least 12 bytes' worth: an embedder may take a whole line without blanks for one unknown token, but the
// language model that reads the passage won't. Throws invalid_argument: not UTF-8, a format other than "text" and "markdown", a
// budget below 8 tokens, an overlap that isn't below the budget.
std::vector<ByteSpan> chunk_document(std::string_view text, std::string_view format, const CountTokens& count,
                                     const ChunkerOptions& options = {});

}  // namespace openbook::retriever
