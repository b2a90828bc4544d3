#include "tokenizer/unicode_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

struct Character {
  char32_t value;
  int combining_class;
  size_t begin, end;  // bytes of the text before normalisation that it was made from
};

constexpr uint16_t kComposesWithNothing = UINT16_MAX;

// Code points that came after Unicode 9.0 and decompose or have a combining class. Hugging Face normalises by tables of that
// version, to which they are starters without decomposition; ids must equal its ids. Found by asking both about every code point.
constexpr struct {
  char32_t first, last;
} kLater[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},     {0xC3C, 0xC3C},     {0xD3B, 0xD3C},
    {0xEBA, 0xEBA},     {0x1715, 0x1715},   {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},   {0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},
    {0xA82C, 0xA82C},   {0xAB69, 0xAB69},   {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA}, {0x10D24, 0x10D27},
    {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B},
    {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11938, 0x11938}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0},
    {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97},
    {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E030, 0x1E06D}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9},
};

bool is_later(char32_t value) {
  const auto* range = std::lower_bound(std::begin(kLater), std::end(kLater), value,
                                       [](const auto& range, char32_t wanted) { return range.last < wanted; });
  return range != std::end(kLater) && range->first <= value;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

const utf8proc_property_t& property(char32_t value) { return *utf8proc_get_property(static_cast<utf8proc_int32_t>(value)); }

int combining_class(char32_t value) {
  const int known = property(value).combining_class;
  return known != 0 && is_later(value) ? 0 : known;
}

std::vector<Character> decompose(std::string_view text, bool compatibility) {
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0));
  std::vector<Character> characters;
  characters.reserve(text.size());
  utf8proc_int32_t parts[32];  // the longest decomposition, U+FDFA's, has 18
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint point = code_point_at(text, offset);
    utf8proc_ssize_t count = 1;
    if (is_later(point.value))
      parts[0] = static_cast<utf8proc_int32_t>(point.value);
    else
      count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(point.value), parts, 32, options, nullptr);
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      const auto part = static_cast<char32_t>(parts[i]);
      characters.push_back({part, combining_class(part), offset, offset + point.length});
    }
    offset += point.length;
  }
  return characters;
}

// Canonical ordering: runs of combining marks are sorted by class, equal classes keep their order.
void reorder(std::vector<Character>& characters) {
  for (auto at = characters.begin(); at != characters.end();) {
    if (at->combining_class == 0) {
      ++at;
      continue;
    }
    const auto end = std::find_if(at, characters.end(), [](const Character& c) { return c.combining_class == 0; });
    std::stable_sort(at, end, [](const Character& a, const Character& b) { return a.combining_class < b.combining_class; });
    at = end;
  }
}

bool is_hangul_part(char32_t value) { return (value >= 0x1100 && value <= 0x11FF) || (value >= 0xAC00 && value <= 0xD7A3); }

// The primary composite of a pair, 0 when there is none.
char32_t composed(char32_t first, char32_t second) {
  const bool by_table = property(first).comb_index != kComposesWithNothing && property(second).comb_index != kComposesWithNothing;
  if (!by_table && !(is_hangul_part(first) && is_hangul_part(second))) return 0;
  utf8proc_int32_t pair[2] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  const bool joined = utf8proc_normalize_utf32(pair, 2, options) == 1 && !is_later(static_cast<char32_t>(pair[0]));
  return joined ? static_cast<char32_t>(pair[0]) : 0;
}

// Canonical composition: a character joins the last starter unless one of at least its class stands between them.
void compose(std::vector<Character>& characters) {
  size_t written = 0;
  size_t starter = SIZE_MAX;
  int class_before = -1;  // of the character written last after the starter; -1: the starter itself
  for (const Character character : characters) {
    const bool blocked = class_before >= character.combining_class;
    const char32_t joined = starter != SIZE_MAX && !blocked ? composed(characters[starter].value, character.value) : 0;
    if (joined != 0) {
      characters[starter].value = joined;
      characters[starter].begin = std::min(characters[starter].begin, character.begin);
      characters[starter].end = std::max(characters[starter].end, character.end);
      continue;
    }
    if (character.combining_class == 0) starter = written;
    class_before = character.combining_class == 0 ? -1 : character.combining_class;
    characters[written++] = character;
  }
  characters.resize(written);
}

}  // namespace

void to_unicode_form(AlignedText& text, UnicodeForm form) {
  if (is_ascii(text.text())) return;
  const bool compatibility = form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd;
  std::vector<Character> characters = decompose(text.text(), compatibility);
  reorder(characters);
  if (form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc) compose(characters);

  TextRewriter rewriter(text);
  std::string bytes;
  for (const Character& character : characters) {
    bytes.clear();
    append_utf8(bytes, character.value);
    rewriter.replace(character.begin, character.end, bytes);
  }
  text = std::move(rewriter).finish();
}

}  // namespace openbook::engine
