// What every fuzz target shares: it reads arbitrary bytes as openbook reads a file that somebody else made.
//
// Such a file is refused by an openbook::Error. Whatever else leaves the parser is a defect: another exception, an error that
// names a defect of openbook (internal), a sanitizer's finding, a promise that does not hold, or more time or memory than run.sh
// allows.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook::fuzz {

// One input; each target defines its own.
void run(std::string_view input);

// Ends the program, naming what does not hold.
void require(bool holds, const char* what);

// Every span lies in the text, holds something, cuts no code point and does not begin before the one before it ended.
void require_in_order(std::string_view valid_utf8, const std::vector<ByteSpan>& spans);

// The input cut at bytes 0x1E (ASCII's record separator) into exactly `count` pieces: several files of one folder. Missing ones
// are empty, and the last one keeps further separators.
std::vector<std::string_view> pieces(std::string_view input, size_t count);

// A file in a folder that this process owns, in TMPDIR (run.sh names one in memory); replaced on every call. Empty bytes: no
// file.
std::filesystem::path folder();
std::filesystem::path file(const std::string& name, std::string_view bytes);

}  // namespace openbook::fuzz
