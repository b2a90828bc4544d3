#include "tokenizer/normalizer.h"

#include <string>
#include <vector>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "tokenizer/character_class.h"
#include "tokenizer/pattern.h"
#include "tokenizer/unicode_form.h"

namespace openbook::engine {
namespace {

// Replacements may be chained, and each can make a text longer: tokenizers in use put in a space or its sign.
constexpr size_t kLongestReplacement = 64, kLargestGrowth = 64;

// Replaces every code point by what `spell` appends for it.
template <typename Spell>
void respell(AlignedText& text, Spell spell) {
  TextRewriter rewriter(text);
  std::string bytes;
  for (size_t offset = 0; offset < text.text().size();) {
    const CodePoint point = code_point_at(text.text(), offset);
    bytes.clear();
    spell(point.value, bytes);
    rewriter.replace(offset, offset + point.length, bytes);
    offset += point.length;
  }
  text = std::move(rewriter).finish();
}

void lowercase(AlignedText& text) {
  respell(text, [](char32_t value, std::string& bytes) {
    if (value == U'\u0130')
      bytes += "i\u0307";  // the one letter whose lower case has two code points
    else
      append_utf8(bytes, to_lower(value));
  });
}

class FormNormalizer : public Normalizer {
 public:
  explicit FormNormalizer(UnicodeForm form) : form_(form) {}
  void apply(AlignedText& text) const override { to_unicode_form(text, form_); }

 private:
  UnicodeForm form_;
};

class LowercaseNormalizer : public Normalizer {
 public:
  void apply(AlignedText& text) const override { lowercase(text); }
};

class StripNormalizer : public Normalizer {
 public:
  explicit StripNormalizer(const JsonField& field)
      : left_(field.flag("strip_left", true)), right_(field.flag("strip_right", true)) {}

  void apply(AlignedText& text) const override {
    const auto points = code_points(text.text());
    size_t first = 0, last = points.size();
    while (left_ && first < last && is_white_space(points[first].value)) ++first;
    while (right_ && last > first && is_white_space(points[last - 1].value)) --last;
    const size_t begin = first < points.size() ? points[first].offset : text.text().size();
    const size_t end = last < points.size() ? points[last].offset : text.text().size();
    text = text.slice(begin, end);
  }

 private:
  bool left_, right_;
};

class PrependNormalizer : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}

  void apply(AlignedText& text) const override {
    if (text.text().empty()) return;
    TextRewriter rewriter(text);
    rewriter.insert(0, prefix_);
    rewriter.keep(0, text.text().size());
    text = std::move(rewriter).finish();
  }

 private:
  std::string prefix_;
};

class ReplaceNormalizer : public Normalizer {
 public:
  explicit ReplaceNormalizer(const JsonField& field)
      : pattern_(Pattern::from(field.at("pattern"))), content_(field.text("content")) {
    if (content_.size() > kLongestReplacement)
      field.malformed("puts in a text of " + std::to_string(content_.size()) + " bytes; at most " +
                      std::to_string(kLongestReplacement));
  }

  void apply(AlignedText& text) const override {
    TextRewriter rewriter(text);
    size_t kept = 0;
    for (size_t from = 0; from <= text.text().size();) {
      const auto match = pattern_.next_match(text.text(), from);
      if (!match) break;
      rewriter.keep(kept, match->first);
      if (match->first == match->second) {
        rewriter.insert(match->first, content_);
        if (match->second == text.text().size()) {
          kept = match->second;
          break;
        }
        from = match->second + code_point_at(text.text(), match->second).length;
      } else {
        rewriter.replace(match->first, match->second, content_);
        from = match->second;
      }
      kept = match->second;
    }
    rewriter.keep(kept, text.text().size());
    const bool grown = rewriter.size() > text.text().size();
    text = std::move(rewriter).finish();
    if (grown) check_growth(text);
  }

 private:
  static void check_growth(const AlignedText& text) {
    const auto source = static_cast<size_t>(text.source(0, text.text().size()).size());
    if (text.text().size() <= kLargestGrowth * (source + kLongestReplacement)) return;
    throw Error(Code::kInvalidArgument,
                "the tokenizer's normalizer makes " + std::to_string(text.text().size()) + " bytes of " + std::to_string(source),
                "Use the tokenizer that belongs to the model.");
  }

  Pattern pattern_;
  std::string content_;
};

// Devlin et al. 2018, released tokenizer: controls out, ideographs apart, accents off, lower case.
class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const JsonField& field)
      : clean_text_(field.flag("clean_text", true)),
        set_ideographs_apart_(field.flag("handle_chinese_chars", true)),
        lowercase_(field.flag("lowercase", true)),
        strip_accents_(field.flag("strip_accents", lowercase_)) {}

  void apply(AlignedText& text) const override {
    if (clean_text_) respell(text, clean);
    if (set_ideographs_apart_) respell(text, set_apart);
    if (strip_accents_) {
      to_unicode_form(text, UnicodeForm::kNfd);
      respell(text, [](char32_t value, std::string& bytes) {
        if (!is_nonspacing_mark(value)) append_utf8(bytes, value);
      });
    }
    if (lowercase_) lowercase(text);
  }

 private:
  static void clean(char32_t value, std::string& bytes) {
    if (value == '\t' || value == '\n' || value == '\r')
      bytes += ' ';
    else if (value == 0xFFFD || is_other(value))
      return;
    else if (is_white_space(value))
      bytes += ' ';
    else
      append_utf8(bytes, value);
  }

  static void set_apart(char32_t value, std::string& bytes) {
    const bool apart = is_cjk_ideograph(value);
    if (apart) bytes += ' ';
    append_utf8(bytes, value);
    if (apart) bytes += ' ';
  }

  bool clean_text_, set_ideographs_apart_, lowercase_, strip_accents_;
};

class SequenceNormalizer : public Normalizer {
 public:
  explicit SequenceNormalizer(const JsonField& field) {
    for (const JsonField& step : field.at("normalizers").items()) steps_.push_back(make_normalizer(step));
  }
  void apply(AlignedText& text) const override {
    for (const auto& step : steps_) step->apply(text);
  }

 private:
  std::vector<std::unique_ptr<const Normalizer>> steps_;
};

}  // namespace

std::unique_ptr<const Normalizer> make_normalizer(const JsonField& field) {
  const std::string type = field.text("type");
  if (type == "NFC") return std::make_unique<FormNormalizer>(UnicodeForm::kNfc);
  if (type == "NFD") return std::make_unique<FormNormalizer>(UnicodeForm::kNfd);
  if (type == "NFKC") return std::make_unique<FormNormalizer>(UnicodeForm::kNfkc);
  if (type == "NFKD") return std::make_unique<FormNormalizer>(UnicodeForm::kNfkd);
  if (type == "Lowercase") return std::make_unique<LowercaseNormalizer>();
  if (type == "Strip") return std::make_unique<StripNormalizer>(field);
  if (type == "Prepend") return std::make_unique<PrependNormalizer>(field.text("prepend"));
  if (type == "Replace") return std::make_unique<ReplaceNormalizer>(field);
  if (type == "BertNormalizer") return std::make_unique<BertNormalizer>(field);
  if (type == "Sequence") return std::make_unique<SequenceNormalizer>(field);
  field.unsupported("normalizer " + type);
}

}  // namespace openbook::engine
