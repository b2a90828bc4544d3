#include "openbook/base/passage.h"

#include <utility>

#include "openbook/base/hash.h"

namespace openbook {

Passage whole_document(std::string id, std::string text) {
  Passage passage;
  passage.document_id = std::move(id);
  passage.document_sha256 = sha256_hex(text);
  passage.range = {0, static_cast<int64_t>(text.size())};
  passage.text = std::move(text);
  return passage;
}

}  // namespace openbook
