#include "openbook/base/passage.h"

#include <utility>

#include "openbook/base/hash.h"

namespace openbook {

std::string_view text_at(const Passage& passage, ByteSpan in_document) {
  return slice(passage.text, {in_document.begin - passage.range.begin, in_document.end - passage.range.begin});
}

Passage whole_document(std::string id, std::string text) {
  Passage passage;
  passage.document_id = std::move(id);
  passage.document_sha256 = sha256_hex(text);
  passage.range = {0, static_cast<int64_t>(text.size())};
  passage.text = std::move(text);
  return passage;
}

}  // namespace openbook
