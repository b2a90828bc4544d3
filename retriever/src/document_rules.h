// What a document's text must be to be stored. Asked by the loaders, which know the file's name, and again by the index, whoever
// calls it.
#pragma once

#include <string>
#include <string_view>

#include "openbook/retriever/document.h"

namespace openbook::retriever {

// Throws invalid_argument naming `name` for a NUL byte, invalid UTF-8 or nothing but blanks, out_of_range for more than
// kMaxDocumentBytes.
void require_document_text(std::string_view text, const std::string& name);

}  // namespace openbook::retriever
