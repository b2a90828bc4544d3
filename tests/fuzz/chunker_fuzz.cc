// Documents as they are loaded from a file and cut into passages.
#include "fuzz.h"
#include "openbook/base/utf8.h"
#include "openbook/retriever/chunker.h"
#include "openbook/retriever/document.h"

void openbook::fuzz::run(std::string_view input) {
  for (const char* name : {"document.md", "document.txt"}) {
    const auto document = retriever::load_document(file(name, input));
    const std::string& text = document.text;
    const auto count = [](std::string_view part) { return static_cast<int64_t>(part.size() / 4 + 1); };
    const auto chunks = retriever::chunk_document(text, document.format, count, {.max_tokens = 8, .overlap_tokens = 3});
    int64_t begin = -1;
    for (const ByteSpan chunk : chunks) {
      require_in_order(text, {chunk});
      require(chunk.begin > begin, "chunks begin one after another");
      begin = chunk.begin;
    }
  }
}
