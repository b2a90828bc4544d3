// The words that BM25 counts, and how a document's counts are stored.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace openbook::retriever {

// folded_words(), and for scripts without blanks each pair of neighbours too: one Chinese character says little, two are often a
// word.
std::vector<std::string> index_terms(std::string_view valid_utf8);

// The terms of a document's chunks, grouped by term.
std::string encode_postings(const std::vector<std::vector<std::string>>& terms_of_chunks);

// Calls visit(term, chunk, count) for all of them; `chunk` counts from 0 within the document. Throws data_loss naming `what`.
void for_each_posting(std::string_view encoded, std::string_view what,
                      const std::function<void(std::string_view term, uint64_t chunk, uint64_t count)>& visit);

}  // namespace openbook::retriever
