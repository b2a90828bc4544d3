#include "document_rules.h"

#include <algorithm>

#include "openbook/base/error.h"
#include "openbook/base/hidden_text.h"
#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"

namespace openbook::retriever {
namespace {

constexpr size_t kMaxIdBytes = 4096;

}  // namespace

void require_document_text(std::string_view text, const std::string& name) {
  if (text.size() > kMaxDocumentBytes)
    throw Error(Code::kOutOfRange,
                name + ": " + std::to_string(text.size()) + " bytes, more than the limit of " + std::to_string(kMaxDocumentBytes),
                "Split it into several documents.");
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    throw Error(Code::kInvalidArgument, name + ": binary (a NUL at byte " + std::to_string(nul) + "), not text",
                "Give text or Markdown.");
  require_utf8(text, name);
  if (trim(text, {0, static_cast<int64_t>(text.size())}).empty())
    throw Error(Code::kInvalidArgument, name + ": empty", "Give a document that holds text.");
}

void require_document(const Document& document) {
  if (document.id.empty() || document.id.size() > kMaxIdBytes)
    throw Error(Code::kInvalidArgument, "a document id of " + std::to_string(document.id.size()) + " bytes; it must have 1 to " +
                                            std::to_string(kMaxIdBytes));
  require_utf8(document.id, "document id");
  for (const auto& [key, value] : document.metadata) {
    require_utf8(key, document.id + ": metadata key");
    require_utf8(value, document.id + ": metadata \"" + key + "\"");
  }
  require_document_text(document.text, document.id);
  const std::vector<ByteSpan> visible = visible_ranges(document.text, document.format);
  if (std::all_of(visible.begin(), visible.end(), [&](ByteSpan range) { return trim(document.text, range).empty(); }))
    throw Error(Code::kInvalidArgument, document.id + ": a reader sees nothing of it, only front matter or hidden text",
                "Give a document that shows text.");
}

}  // namespace openbook::retriever
