#include "tokenizer/pre_tokenizer.h"

#include <string>

#include "openbook/base/utf8.h"
#include "tokenizer/character_class.h"
#include "tokenizer/word_splitter.h"

namespace openbook::engine {
namespace {

// Radford et al. 2019, released encoder: contractions, then words, numbers and other signs with the space before them.
constexpr std::string_view kGpt2Words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Puts `prefix` in front of every word that `wants` it.
template <typename Wants>
void prefix_words(Words& words, std::string_view prefix, Wants wants) {
  TextRewriter rewriter(words.text);
  for (ByteSpan& span : words.spans) {
    const auto begin = static_cast<int64_t>(rewriter.size());
    const std::string_view word = std::string_view(words.text.text()).substr(span.begin, span.size());
    if (wants(word, words.text.source(span.begin, span.end))) rewriter.insert(span.begin, prefix);
    rewriter.keep(span.begin, span.end);
    span = {begin, static_cast<int64_t>(rewriter.size())};
  }
  words.text = std::move(rewriter).finish();
}

class SplitPreTokenizer : public PreTokenizer {
 public:
  SplitPreTokenizer(FindCuts find_cuts, SplitBehavior behavior) : find_cuts_(std::move(find_cuts)), behavior_(behavior) {}
  void apply(Words& words) const override { split_words(words, find_cuts_, behavior_); }

 private:
  FindCuts find_cuts_;
  SplitBehavior behavior_;
};

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const JsonField& field) : add_prefix_space_(field.flag("add_prefix_space", true)) {
    if (field.flag("use_regex", true)) find_cuts_ = matches_of(Pattern(kGpt2Words, field));
  }

  void apply(Words& words) const override {
    if (add_prefix_space_)
      prefix_words(words, " ", [](std::string_view word, const ByteSpan&) { return !word.starts_with(' '); });
    if (find_cuts_) split_words(words, find_cuts_, SplitBehavior::kIsolated);
  }
  bool byte_level() const override { return true; }

 private:
  bool add_prefix_space_;
  FindCuts find_cuts_;
};

// Kudo and Richardson 2018: a space becomes a visible sign, and words start with it.
class MetaspacePreTokenizer : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(const JsonField& field)
      : sign_(field.text("replacement", "\u2581")),
        scheme_(field.text("prepend_scheme", field.flag("add_prefix_space", true) ? "always" : "never")),
        split_(field.flag("split", true)) {
    if (scheme_ != "always" && scheme_ != "first" && scheme_ != "never") field.unsupported("prepend_scheme " + scheme_);
    if (sign_.empty() || code_points(sign_).size() != 1)
      field.malformed("replacement: expected one character, found \"" + sign_ + '"');
  }

  void apply(Words& words) const override {
    replace_spaces(words);
    if (scheme_ != "never")
      prefix_words(words, sign_, [this](std::string_view word, const ByteSpan& source) {
        return !word.starts_with(sign_) && (scheme_ == "always" || source.begin == 0);
      });
    if (split_)
      split_words(
          words, [this](auto word, auto& cuts) { find_signs(word, cuts); }, SplitBehavior::kMergedWithNext);
  }

 private:
  void replace_spaces(Words& words) const {
    TextRewriter rewriter(words.text);
    const std::string& text = words.text.text();
    for (ByteSpan& span : words.spans) {
      const auto begin = static_cast<int64_t>(rewriter.size());
      for (auto i = static_cast<size_t>(span.begin); i < static_cast<size_t>(span.end); ++i)
        text[i] == ' ' ? rewriter.replace(i, i + 1, sign_) : rewriter.keep(i, i + 1);
      span = {begin, static_cast<int64_t>(rewriter.size())};
    }
    words.text = std::move(rewriter).finish();
  }

  void find_signs(std::string_view word, std::vector<Cut>& cuts) const {
    size_t covered = 0;
    for (size_t at; (at = word.find(sign_, covered)) != word.npos; covered = at + sign_.size()) {
      if (covered < at) cuts.push_back({covered, at, false});
      cuts.push_back({at, at + sign_.size(), true});
    }
    if (covered < word.size()) cuts.push_back({covered, word.size(), false});
  }

  std::string sign_, scheme_;
  bool split_;
};

class BertPreTokenizer : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    split_words(words, spaces_, SplitBehavior::kRemoved);
    split_words(words, signs_, SplitBehavior::kIsolated);
  }

 private:
  FindCuts spaces_ = characters_that(is_white_space);
  FindCuts signs_ = characters_that(is_punctuation);
};

class SequencePreTokenizer : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(const JsonField& field) {
    for (const JsonField& step : field.at("pretokenizers").items()) {
      if (byte_level()) step.unsupported("a pre-tokenizer after ByteLevel");  // it would cut the spelled bytes
      steps_.push_back(make_pre_tokenizer(step));
    }
  }
  void apply(Words& words) const override {
    for (const auto& step : steps_) step->apply(words);
  }
  bool byte_level() const override { return !steps_.empty() && steps_.back()->byte_level(); }

 private:
  std::vector<std::unique_ptr<const PreTokenizer>> steps_;
};

// Cuts between spaces (matches), runs of word characters and runs of anything else.
void runs_of_words_and_signs(std::string_view text, std::vector<Cut>& cuts) {
  enum class Kind { kNone, kSpace, kWord, kSign } before = Kind::kNone;
  for (const CodePoint& point : code_points(text)) {
    const Kind kind = is_white_space(point.value) ? Kind::kSpace : is_word_character(point.value) ? Kind::kWord : Kind::kSign;
    if (kind == before)
      cuts.back().end += point.length;
    else
      cuts.push_back({point.offset, point.offset + point.length, kind == Kind::kSpace});
    before = kind;
  }
}

std::unique_ptr<const PreTokenizer> splitter(FindCuts find_cuts, SplitBehavior behavior) {
  return std::make_unique<SplitPreTokenizer>(std::move(find_cuts), behavior);
}

}  // namespace

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const JsonField& field) {
  const std::string type = field.text("type");
  if (type == "ByteLevel") return std::make_unique<ByteLevelPreTokenizer>(field);
  if (type == "Metaspace") return std::make_unique<MetaspacePreTokenizer>(field);
  if (type == "Sequence") return std::make_unique<SequencePreTokenizer>(field);
  if (type == "Split")
    return splitter(matches_of(Pattern::from(field.at("pattern")), field.flag("invert", false)),
                    split_behavior(field.at("behavior")));
  if (type == "Digits")
    return splitter(characters_that(is_numeric),
                    field.flag("individual_digits", false) ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
  if (type == "Punctuation") {
    const auto behavior = field.find("behavior");
    return splitter(characters_that(is_punctuation), behavior ? split_behavior(*behavior) : SplitBehavior::kIsolated);
  }
  if (type == "Whitespace") return splitter(runs_of_words_and_signs, SplitBehavior::kRemoved);
  if (type == "WhitespaceSplit") return splitter(characters_that(is_white_space), SplitBehavior::kRemoved);
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  field.unsupported("pre-tokenizer " + type);
}

}  // namespace openbook::engine
