// HTML in Markdown: where it begins, its tags, and which of them hide what they hold.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace openbook {

// CommonMark's seven kinds of HTML blocks by how they end.
enum class HtmlBlock {
  kNone,
  kRawText,      // <script, <style, <pre, <textarea: at the line that closes one of them
  kComment,      // at the line that holds -->
  kInstruction,  // <? at ?>
  kDeclaration,  // <!X at >
  kData,         // <![CDATA[ at ]]>
  kElement,      // at a blank line
};

// Which one a line begins. `in_paragraph`: the line above is text, which a tag of no block does not interrupt.
HtmlBlock html_block_of(std::string_view line, bool in_paragraph);
bool ends_html_block(std::string_view line, HtmlBlock block);

struct Tag {
  size_t end = 0;    // one past >
  std::string name;  // lower case
  bool closing = false;
  const char* hides = nullptr;  // why a reader sees nothing of the element ("display:none"); null: he does
};

// The tag that begins at `at` (a <) and ends before `end`; nothing when there is none.
std::optional<Tag> tag_at(std::string_view text, size_t at, size_t end);

// Where the comment, instruction, declaration or CDATA section that begins at `at` (a <) ends: one past its last byte, npos when
// it has no end before `end`; nothing when none begins there.
std::optional<size_t> unseen_markup_end(std::string_view text, size_t at, size_t end);

bool is_block_element(std::string_view name);                                                // <div>: begins a block of its own
bool is_void_element(std::string_view name);                                                 // <img>: holds nothing
bool may_stay_open(std::string_view name);                                                   // <p>, <li>: what follows closes it
bool holds_raw_text(std::string_view name);                                                  // <script>: its text has no tags
size_t find_closing(std::string_view text, std::string_view name, size_t from, size_t end);  // of "</name", npos: none

}  // namespace openbook
