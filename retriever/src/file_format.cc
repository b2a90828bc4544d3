#include "file_format.h"

#include <algorithm>

#include "openbook/base/utf8.h"

namespace openbook::retriever {
namespace {

using namespace std::literals;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kToText = "Convert it to text or Markdown first, with pandoc for example.";
constexpr std::string_view kUnpack = "Unpack it, and ingest the text files in it.";
constexpr std::string_view kUtf16 = "Convert it: iconv -f UTF-16 -t UTF-8.";

struct Magic {
  std::string_view bytes;
  ForeignFormat format;
  size_t offset = 0;
  bool letters = false;  // prose may begin so: the file counts as foreign only when it is binary
};

// Longer beginnings before those that they contain.
constexpr Magic kMagics[] = {
    {"%PDF-"sv, {"a PDF document", "Take its text: pdftotext FILE - | openbook ingest - --id NAME."}},
    {"{\\rtf"sv, {"an RTF document", kToText}},
    {"%!PS"sv, {"a PostScript document", "Take its text: ps2ascii FILE | openbook ingest - --id NAME."}},
    {"PK\x03\x04"sv, {"a ZIP archive, as DOCX, XLSX, ODT and EPUB are", kToText}},
    {"PK\x05\x06"sv, {"an empty ZIP archive", ""}},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, {"an old Office document (OLE), as DOC and XLS are", kToText}},
    {"\x89PNG\r\n"sv, {"a PNG image", ""}},
    {"\xFF\xD8\xFF"sv, {"a JPEG image", ""}},
    {"GIF87a"sv, {"a GIF image", ""}},
    {"GIF89a"sv, {"a GIF image", ""}},
    {"II*\0"sv, {"a TIFF image", ""}},
    {"MM\0*"sv, {"a TIFF image", ""}},
    {"RIFF"sv, {"a RIFF file, as WEBP, WAV and AVI are", ""}, 0, true},
    {"\x1F\x8B"sv, {"compressed by gzip", kUnpack}},
    {"BZh"sv, {"compressed by bzip2", kUnpack}, 0, true},
    {"\xFD"
     "7zXZ\0"sv,
     {"compressed by xz", kUnpack}},
    {"\x28\xB5\x2F\xFD"sv, {"compressed by zstd", kUnpack}},
    {"7z\xBC\xAF\x27\x1C"sv, {"a 7z archive", kUnpack}},
    {"Rar!\x1A\x07"sv, {"a RAR archive", kUnpack}},
    {"ustar"sv, {"a tar archive", kUnpack}, 257, true},
    {"!<arch>\n"sv, {"an ar archive", kUnpack}},
    {"\x7F"
     "ELF"sv,
     {"an ELF program or library", ""}},
    {"\0asm"sv, {"a WebAssembly module", ""}},
    {"\xCA\xFE\xBA\xBE"sv, {"a Java class or a Mach-O program", ""}},
    {"\xCF\xFA\xED\xFE"sv, {"a Mach-O program", ""}},
    {"SQLite format 3\0"sv, {"an SQLite database", ""}},
    {"GGUF"sv, {"a GGUF model", ""}, 0, true},
    {"OggS"sv, {"an Ogg recording", ""}, 0, true},
    {"fLaC"sv, {"a FLAC recording", ""}, 0, true},
    {"ID3\x02"sv, {"an MP3 recording", ""}},
    {"ID3\x03"sv, {"an MP3 recording", ""}},
    {"ID3\x04"sv, {"an MP3 recording", ""}},
    {"ftyp"sv, {"an MP4 or HEIF file", ""}, 4, true},
    {"wOFF"sv, {"a font", ""}, 0, true},
    {"wOF2"sv, {"a font", ""}, 0, true},
    {"\xFF\xFE\0\0"sv, {"UTF-32, not UTF-8", "Convert it: iconv -f UTF-32 -t UTF-8."}},
    {"\xFF\xFE"sv, {"UTF-16, not UTF-8", kUtf16}},
    {"\xFE\xFF"sv, {"UTF-16, not UTF-8", kUtf16}},
};

std::string folded(std::string_view bytes, size_t most) {
  std::string text(bytes.substr(0, most));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// `bytes` from the first that is neither blank, comment of markup nor byte-order mark.
std::string_view content(std::string_view bytes) {
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  for (;;) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n\f"), bytes.size()));
    if (!bytes.starts_with("<!--")) return bytes;
    const size_t end = bytes.find("-->");
    if (end == std::string_view::npos) return bytes;
    bytes.remove_prefix(end + 3);
  }
}

bool begins_tag(std::string_view text, std::string_view name) {
  return text.starts_with('<') && text.substr(1).starts_with(name) && text.size() > name.size() + 1 &&
         " \t\r\n/>"sv.find(text[name.size() + 1]) != std::string_view::npos;
}

std::optional<ForeignFormat> markup(std::string_view bytes, bool markdown) {
  constexpr ForeignFormat kHtml{"HTML", kToText}, kXml{"XML", kToText}, kSvg{"an SVG image", ""};
  const std::string begin = folded(content(bytes), 4096);
  if (begin.starts_with("<!doctype html") || begins_tag(begin, "html") || begins_tag(begin, "head") || begins_tag(begin, "body"))
    return kHtml;
  if (begins_tag(begin, "svg") || begin.starts_with("<!doctype svg")) return kSvg;
  if (begin.starts_with("<?xml"))
    return begin.find("<html") != std::string::npos ? kHtml : begin.find("<svg") != std::string::npos ? kSvg : kXml;
  if (markdown) return std::nullopt;
  // A piece of a page: a tag that people don't write by chance, closed again.
  for (const std::string_view tag :
       {"p"sv, "div"sv, "table"sv, "title"sv, "h1"sv, "h2"sv, "h3"sv, "article"sv, "section"sv, "main"sv})
    if (begins_tag(begin, tag) && folded(bytes, bytes.size()).find("</" + std::string(tag) + ">") != std::string::npos)
      return kHtml;
  return std::nullopt;
}

// UTF-16 without a mark: in text of the languages that are mostly ASCII every other byte is 0.
std::optional<ForeignFormat> unmarked_utf16(std::string_view bytes) {
  const std::string_view begin = bytes.substr(0, std::min<size_t>(bytes.size(), 1024) & ~size_t{1});
  if (begin.size() < 4) return std::nullopt;
  size_t zeros[2] = {};
  for (size_t i = 0; i < begin.size(); ++i) zeros[i % 2] += begin[i] == '\0';
  const size_t most = begin.size() / 2;
  if (zeros[1] * 10 >= most * 9 && zeros[0] * 10 < most)
    return ForeignFormat{"UTF-16, not UTF-8 (little-endian, without a byte-order mark)",
                         "Convert it: iconv -f UTF-16LE -t UTF-8."};
  if (zeros[0] * 10 >= most * 9 && zeros[1] * 10 < most)
    return ForeignFormat{"UTF-16, not UTF-8 (big-endian, without a byte-order mark)", "Convert it: iconv -f UTF-16BE -t UTF-8."};
  return std::nullopt;
}

}  // namespace

std::optional<ForeignFormat> foreign_format(std::string_view bytes, bool markdown) {
  const auto is_binary = [&] { return first_invalid_utf8(bytes) || bytes.find('\0') != std::string_view::npos; };
  for (const Magic& magic : kMagics) {
    if (bytes.size() < magic.offset || !bytes.substr(magic.offset).starts_with(magic.bytes)) continue;
    if (!magic.letters || is_binary()) return magic.format;
  }
  if (auto format = unmarked_utf16(bytes)) return format;
  return markup(bytes, markdown);
}

bool begins_as_private_key(std::string_view bytes) {
  const std::string_view begin = content(bytes);
  const std::string_view line = begin.substr(0, std::min(begin.find_first_of("\r\n"), begin.size()));
  return (line.starts_with("-----BEGIN ") && line.find("PRIVATE KEY") != std::string_view::npos) ||
         line.starts_with("PuTTY-User-Key-File-");
}

}  // namespace openbook::retriever
