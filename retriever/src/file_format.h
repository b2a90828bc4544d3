// Which format the bytes of a file are of, by what they begin with: a file of another format than text is named and not read as
// if it were text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace openbook::retriever {

struct ForeignFormat {
  std::string_view name;  // "a PDF document"
  std::string_view hint;  // how its text can be had; may be empty
};

// Nothing for what may be text. In Markdown a file may begin with a tag of HTML: there only a whole page of HTML is foreign.
std::optional<ForeignFormat> foreign_format(std::string_view bytes, bool markdown);

// Whether the bytes begin as the file of a private key does.
bool begins_as_private_key(std::string_view bytes);

}  // namespace openbook::retriever
