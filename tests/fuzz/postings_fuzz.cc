// The stored word counts of a document in an index.
#include "fuzz.h"
#include "postings.h"

void openbook::fuzz::run(std::string_view input) {
  retriever::for_each_posting(input, "word counts", [&](std::string_view term, uint64_t, uint64_t) {
    require(term.data() >= input.data() && term.data() + term.size() <= input.data() + input.size(), "terms lie in the record");
  });
}
