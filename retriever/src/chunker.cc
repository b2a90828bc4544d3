#include "openbook/retriever/chunker.h"

#include <algorithm>
#include <string>

#include "openbook/base/error.h"
#include "openbook/base/hidden_text.h"
#include "openbook/base/lines.h"
#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"

namespace openbook::retriever {
namespace {

constexpr int64_t kMinMaxTokens = 8;
constexpr int64_t kMaxBytesPerToken = 12;  // English has about 4.5, Chinese 3

// A sentence or lines that are none (the header of a table with its rule), or what was cut from one that is too long.
struct Piece {
  ByteSpan range;
  int64_t cost = 0;
  bool heading = false;
  bool with_next = false;  // says nothing by itself: a table's header
  size_t stretch = 0;      // which visible range it stands in
};

class Chunker {
 public:
  Chunker(std::string_view text, const CountTokens& count, const ChunkerOptions& options)
      : text_(text), count_(count), max_(options.max_tokens), overlap_(options.overlap_tokens) {}

  std::vector<ByteSpan> chunk(std::string_view format) {
    make_pieces(format);
    std::vector<ByteSpan> chunks;
    size_t first = 0;  // of the chunk being made, overlap included
    size_t fresh = 0;  // the first piece that no chunk holds yet
    while (fresh < pieces_.size()) {
      const size_t end = grow(first, fresh);
      if (end == fresh) {  // the overlap leaves no room
        first = fresh;
        continue;
      }
      chunks.push_back(range_of(first, end));
      first = overlap_before(first, end);
      fresh = end;
    }
    return chunks;
  }

 private:
  int64_t cost(ByteSpan range) const {
    const int64_t by_bytes = (range.size() + kMaxBytesPerToken - 1) / kMaxBytesPerToken;
    return by_bytes > max_ ? by_bytes : std::max(by_bytes, count_(slice(text_, range)));
  }

  ByteSpan range_of(size_t first, size_t end) const { return {pieces_[first].range.begin, pieces_[end - 1].range.end}; }

  void make_pieces(std::string_view format) {
    const std::vector<Line> lines = split_lines(text_);
    const std::vector<ByteSpan> visible = visible_ranges(text_, format), sentences = split_sentences(text_, lines, visible);
    size_t sentence = 0, line = 0;
    for (size_t stretch = 0; stretch < visible.size(); ++stretch) {
      int64_t done = visible[stretch].begin;
      for (; sentence < sentences.size() && sentences[sentence].begin < visible[stretch].end; ++sentence) {
        add_lines({done, sentences[sentence].begin}, lines, line, stretch);
        while (line < lines.size() && lines[line].range.end <= sentences[sentence].begin) ++line;
        const bool heading = format == "markdown" && line < lines.size() && lines[line].kind == LineKind::kHeading;
        add({.range = sentences[sentence], .heading = heading, .stretch = stretch});
        done = sentences[sentence].end;
      }
      add_lines({done, visible[stretch].end}, lines, line, stretch);
    }
  }

  // What is seen between two sentences, line by line; a table's header is one piece with the rule below.
  void add_lines(ByteSpan range, const std::vector<Line>& lines, size_t& next, size_t stretch) {
    while (next < lines.size() && lines[next].range.end <= range.begin) ++next;
    bool in_header = false;
    for (; next < lines.size() && lines[next].range.begin < range.end; ++next) {
      const Line& line = lines[next];
      const ByteSpan seen = trim(text_, {std::max(line.range.begin, range.begin), std::min(line.range.end, range.end)});
      const bool header = line.kind == LineKind::kTableHeader || (in_header && line.kind == LineKind::kTableRule);
      if (!seen.empty()) {
        if (header && in_header && cost({pieces_.back().range.begin, seen.end}) <= max_)
          pieces_.back().range.end = seen.end, pieces_.back().cost = cost(pieces_.back().range);
        else
          add({.range = seen, .with_next = header, .stretch = stretch});
      }
      in_header = header && !seen.empty();
      if (line.range.end > range.end) return;
    }
  }

  void add(Piece piece) {
    if (trim(text_, piece.range).empty()) return;
    piece.cost = cost(piece.range);
    if (piece.cost <= max_)
      pieces_.push_back(piece);
    else
      cut(piece);
  }

  void cut(Piece piece) {
    for (ByteSpan rest = piece.range; !rest.empty(); rest = trim(text_, {piece.range.end, rest.end})) {
      const int64_t window = std::min(rest.end, rest.begin + max_ * kMaxBytesPerToken + 1);  // nothing longer fits
      int64_t end = longest_that_fits(rest.begin, word_ends(rest, window));
      if (end == rest.begin) end = longest_that_fits(rest.begin, code_point_ends(rest, window));
      if (end == rest.begin) end += static_cast<int64_t>(code_point_at(text_, static_cast<size_t>(end)).length);
      piece.range = {rest.begin, end};
      piece.cost = cost(piece.range);
      pieces_.push_back(piece);
    }
  }

  std::vector<int64_t> code_point_ends(ByteSpan rest, int64_t window) const {
    std::vector<int64_t> ends;
    for (int64_t at = rest.begin; at < window; ends.push_back(at))
      at += static_cast<int64_t>(code_point_at(text_, static_cast<size_t>(at)).length);
    return ends;
  }

  std::vector<int64_t> word_ends(ByteSpan rest, int64_t window) const {
    std::vector<int64_t> ends;
    bool in_word = false;
    for (int64_t at = rest.begin; at < window;) {
      const CodePoint point = code_point_at(text_, static_cast<size_t>(at));
      if (in_word && is_space(point.value)) ends.push_back(at);
      in_word = !is_space(point.value);
      at += static_cast<int64_t>(point.length);
    }
    if (window == rest.end) ends.push_back(rest.end);
    return ends;
  }

  // The last of `ends` up to which the text from `begin` keeps the budget, by bisection; `begin` when even the first doesn't.
  int64_t longest_that_fits(int64_t begin, const std::vector<int64_t>& ends) const {
    const auto fits = [&](int64_t end) { return cost({begin, end}) <= max_; };
    const auto past = std::partition_point(ends.begin(), ends.end(), fits);
    return past == ends.begin() ? begin : *(past - 1);
  }

  // A heading under a heading goes on with it: a title is of no use alone. Nothing goes on behind what is hidden.
  bool starts_section(size_t piece) const {
    if (piece == 0) return pieces_[piece].heading;
    return (pieces_[piece].heading && !pieces_[piece - 1].heading) || pieces_[piece].stretch != pieces_[piece - 1].stretch;
  }

  // One past the last piece of the chunk that starts at `first`; `fresh` when not even that piece has room.
  size_t grow(size_t first, size_t fresh) const {
    int64_t total = 0;
    for (size_t piece = first; piece < fresh; ++piece) total += pieces_[piece].cost;
    size_t end = fresh;
    while (end < pieces_.size() && (end == first || !starts_section(end)) && total + pieces_[end].cost <= max_)
      total += pieces_[end++].cost;
    // The sum is an estimate: a tokenizer may join across borders, and blanks between sentences count as bytes.
    while (end > fresh && end - first > 1 && cost(range_of(first, end)) > max_) --end;
    // A header goes with its first row, unless it would have to stay alone with it.
    size_t without_header = end;
    while (without_header > fresh + 1 && pieces_[without_header - 1].with_next) --without_header;
    return end < pieces_.size() && !starts_section(end) ? without_header : end;
  }

  size_t overlap_before(size_t first, size_t end) const {
    if (end == pieces_.size() || starts_section(end)) return end;
    int64_t total = 0;
    size_t begin = end;
    while (begin - 1 > first && !starts_section(begin) && !pieces_[begin - 1].heading &&
           total + pieces_[begin - 1].cost <= overlap_)
      total += pieces_[--begin].cost;
    return begin;
  }

  std::string_view text_;
  const CountTokens& count_;
  const int64_t max_, overlap_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<ByteSpan> chunk_document(std::string_view text, std::string_view format, const CountTokens& count,
                                     const ChunkerOptions& options) {
  require_utf8(text, "document");
  if (format != "text" && format != "markdown")
    throw Error(Code::kInvalidArgument, "document format \"" + std::string(format) + "\" is unknown",
                "Use \"text\" or \"markdown\".");
  if (options.max_tokens < kMinMaxTokens || options.overlap_tokens < 0 || options.overlap_tokens >= options.max_tokens)
    throw Error(Code::kInvalidArgument, "chunks of " + std::to_string(options.max_tokens) + " tokens with an overlap of " +
                                            std::to_string(options.overlap_tokens) + ": the budget must be at least " +
                                            std::to_string(kMinMaxTokens) + " and above the overlap");
  return Chunker(text, count, options).chunk(format);
}

}  // namespace openbook::retriever
