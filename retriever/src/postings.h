// The words that BM25 counts, and how a document's counts are stored.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace openbook::retriever {

// folded_words(); for Chinese and Japanese each pair of neighbours too, since one character says little and two are often a word;
// and beside its words the value of each number and day that is written otherwise (openbook/base/values.h): 12500 of "12.500" in
// Spanish, 2001-05-09, 2001-05 and --05-09 of "9 May 2001".
std::vector<std::string> index_terms(std::string_view valid_utf8);

// The terms of a document's chunks, grouped by term, and by which rules they were made.
std::string encode_postings(const std::vector<std::vector<std::string>>& terms_of_chunks);

// Whether the terms were made as index_terms makes them now. Others must be made again from the stored text.
bool has_current_terms(std::string_view encoded);

// Calls visit(term, chunk, count) for all terms; `chunk` counts from 0 within the document. Throws data_loss naming `what`.
void for_each_posting(std::string_view encoded, std::string_view what,
                      const std::function<void(std::string_view term, uint64_t chunk, uint64_t count)>& visit);

}  // namespace openbook::retriever
