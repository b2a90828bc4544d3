// A piece of a stored document that was found for a question: the unit that is retrieved, put in a prompt and cited.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

struct Passage {
  std::string document_id;      // name of the document, as ingested (a path) or as the caller gave it
  std::string document_sha256;  // lower-case hex SHA-256 of the whole extracted document text
  uint64_t chunk_id = 0;        // 0 when the passage does not come from an index
  ByteSpan range;               // where `text` stands in the extracted document text
  std::string text;             // exactly the bytes of `range`
  std::string
      context;       // what stands above it in the document (context_above); what it is about, no part of the text; may be empty
  int64_t line = 0;  // of its first byte, in the document, from 1; 0: not known
  double score = 0;  // retrieval score, higher is better; 0 when the caller gave the passage
  std::vector<std::string> also_in;  // other documents of the index that hold the same text, by id
};

// What stands at a range of the extracted document text, which must lie inside the passage's.
std::string_view text_at(const Passage& passage, ByteSpan in_document);

// The passage that is a whole document: its text from the first byte to the last, its hash that of the text.
Passage whole_document(std::string id, std::string text);

// What a reader of a document sees, whole, as passages with their context: one, unless something that is hidden (hidden_text.h)
// parts it. None when he sees no words.
std::vector<Passage> visible_passages(const std::string& id, std::string_view text, std::string_view format);

}  // namespace openbook
