// The alphabet in which byte-level vocabularies spell bytes as printable characters.
//
// The printable bytes of Latin-1 (0x21-0x7E, 0xA1-0xAC, 0xAE-0xFF) stand for themselves; the other 68, in order, are
// U+0100, U+0101, ... (Radford et al. 2019, released encoder). A space is U+0120, a newline U+010A.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openbook::engine {

char32_t byte_to_character(uint8_t byte);
std::optional<uint8_t> character_to_byte(char32_t character);

// The bytes that a token spells; nothing when it holds a character that is not of the alphabet.
std::optional<std::string> spelled_bytes(std::string_view token);

}  // namespace openbook::engine
