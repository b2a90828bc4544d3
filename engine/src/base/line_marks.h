// What a single line of Markdown begins with. A line comes without what ends it.
#pragma once

#include <cstddef>
#include <string_view>

namespace openbook {

// The first byte from `at` on that is none of `characters`.
size_t skip(std::string_view line, size_t at, std::string_view characters);

int64_t indent_columns(std::string_view line);  // tabs go to the next multiple of four
size_t content_begin(std::string_view line);    // behind blanks and the marks of quotes (>)

size_t heading_level(std::string_view line);  // of # to ######; 0: no heading
// One past the mark of a list item and the blanks behind it; 0: no item.
size_t item_content(std::string_view line);

std::string_view fence_of(std::string_view line);  // "```", "~~~~": the marks that open a fence, or nothing
bool closes(std::string_view line, std::string_view open_fence);

char underline_of(std::string_view line);  // '=' or '-' when the line could underline a heading, else 0
bool is_rule(std::string_view line);       // ---, * * *, ___, ===

size_t count_pipes(std::string_view line);  // without escaped ones
bool is_table_rule(std::string_view line);  // |---|:-:|, ---|---, +---+---+
bool is_grid_rule(std::string_view line);   // +---+---+, +===+===+

}  // namespace openbook
