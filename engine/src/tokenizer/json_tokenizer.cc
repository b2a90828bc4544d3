#include "tokenizer/json_tokenizer.h"

#include <algorithm>

#include "json/parse_json.h"
#include "openbook/base/hash.h"
#include "openbook/base/utf8.h"
#include "tokenizer/byte_bpe.h"
#include "tokenizer/wordpiece.h"

namespace openbook::engine {
namespace {

std::string model_type(const JsonField& model) {
  if (model.find("type")) return model.text("type");
  return model.find("merges") ? "BPE" : "WordPiece";  // files of before 2021 do not say
}

}  // namespace

JsonTokenizer::JsonTokenizer(std::string_view bytes, const std::string& name) : name_(name), fingerprint_(sha256_hex(bytes)) {
  const nlohmann::json json = parse_json(bytes, name);
  const JsonField root(json, name);
  const JsonField model = root.at("model");
  if (const std::string type = model_type(model); type != "BPE" && type != "WordPiece") model.unsupported("model " + type);
  vocabulary_ = Vocabulary(model.at("vocab"));
  if (const auto normalizer = root.find("normalizer")) normalizer_ = make_normalizer(*normalizer);
  if (const auto pre_tokenizer = root.find("pre_tokenizer")) pre_tokenizer_ = make_pre_tokenizer(*pre_tokenizer);
  read_added_tokens(root);
  read_model(model);
  if (const auto post_processor = root.find("post_processor")) surrounding_ = read_post_processor(*post_processor, vocabulary_);
}

void JsonTokenizer::read_model(const JsonField& model) {
  const bool byte_level = pre_tokenizer_ && pre_tokenizer_->byte_level();
  if (model_type(model) == "BPE")
    model_ = std::make_unique<BytePairModel>(model, vocabulary_, byte_level);
  else
    model_ = std::make_unique<WordPieceModel>(model, vocabulary_);
}

void JsonTokenizer::read_added_tokens(const JsonField& root) {
  std::vector<AddedToken> plain, normalized;
  if (const auto list = root.find("added_tokens")) {
    for (const JsonField& field : list->items()) {
      AddedToken token{.content = field.text("content"),
                       .special = field.flag("special", false),
                       .single_word = field.flag("single_word", false),
                       .strip_left = field.flag("lstrip", false),
                       .strip_right = field.flag("rstrip", false)};
      if (token.content.empty()) continue;
      vocabulary_.add(token.content, field.integer("id"), field);
      token.id = *vocabulary_.find(token.content);
      if (token.special) vocabulary_.mark_special(token.id);
      added_ids_.resize(static_cast<size_t>(vocabulary_.size()));
      added_ids_[static_cast<size_t>(token.id)] = true;
      if (!field.flag("normalized", !token.special)) {
        plain.push_back(std::move(token));
        continue;
      }
      AlignedText content(token.content, 0);
      if (normalizer_) normalizer_->apply(content);
      token.content = content.text();
      normalized.push_back(std::move(token));
    }
  }
  added_ids_.resize(static_cast<size_t>(vocabulary_.size()));
  added_ = AddedTokens(std::move(plain));
  normalized_added_ = AddedTokens(std::move(normalized));
  const bool byte_level = pre_tokenizer_ && pre_tokenizer_->byte_level();
  speller_.emplace(root.find("decoder"), byte_level);
}

std::vector<Token> JsonTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  require_utf8(text, "text to encode");
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 3 + 8);
  for (const Stretch& stretch : added_.find(text, options.parse_special)) {
    if (stretch.token)
      tokens.push_back({stretch.token->id, stretch.span});
    else
      encode_plain(AlignedText(text.substr(stretch.span.begin, stretch.span.size()), stretch.span.begin), options.parse_special,
                   tokens);
  }
  int64_t covered = 0;  // tokens that came of one code point must share no byte: the first has them
  for (Token& token : tokens) {
    token.bytes.begin = std::max(token.bytes.begin, covered);
    token.bytes.end = covered = std::max(token.bytes.end, token.bytes.begin);
  }
  if (options.add_special) {
    tokens.insert(tokens.begin(), surrounding_.before.size(), Token{});
    for (size_t i = 0; i < surrounding_.before.size(); ++i) tokens[i].id = surrounding_.before[i];
    for (const TokenId id : surrounding_.after) tokens.push_back({id, {}});
  }
  return tokens;
}

void JsonTokenizer::encode_plain(AlignedText text, bool parse_special, std::vector<Token>& tokens) const {
  if (normalizer_) normalizer_->apply(text);
  const auto stretches = normalized_added_.find(text.text(), parse_special);
  if (stretches.size() == 1 && !stretches[0].token) return encode_words(std::move(text), tokens);
  for (const Stretch& stretch : stretches) {
    const auto begin = static_cast<size_t>(stretch.span.begin), end = static_cast<size_t>(stretch.span.end);
    if (stretch.token)
      tokens.push_back({stretch.token->id, text.source(begin, end)});
    else
      encode_words(text.slice(begin, end), tokens);
  }
}

void JsonTokenizer::encode_words(AlignedText text, std::vector<Token>& tokens) const {
  Words words{std::move(text), {}};
  words.spans.push_back({0, static_cast<int64_t>(words.text.text().size())});
  if (pre_tokenizer_) pre_tokenizer_->apply(words);
  const size_t first = tokens.size();
  model_->tokenize(words.text.text(), words.spans, tokens);
  for (size_t i = first; i < tokens.size(); ++i)
    tokens[i].bytes = words.text.source(static_cast<size_t>(tokens[i].bytes.begin), static_cast<size_t>(tokens[i].bytes.end));
}

const std::string& JsonTokenizer::known_token(TokenId id) const {
  if (!vocabulary_.holds(id))
    throw Error(Code::kInvalidArgument,
                name_ + ": no token has id " + std::to_string(id) + "; ids end at " + std::to_string(vocabulary_.size() - 1),
                "Use the tokenizer that belongs to the model.");
  return vocabulary_.token(id);
}

std::string JsonTokenizer::token_bytes(TokenId id) const {
  const std::string& token = known_token(id);
  return added_ids_[static_cast<size_t>(id)] ? token : speller_->bytes(token);
}

std::string JsonTokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::vector<std::string> tokens;
  for (const TokenId id : ids) {
    const std::string& token = known_token(id);
    if (!skip_special || !is_special(id)) tokens.push_back(token);
  }
  return speller_->text(tokens);
}

}  // namespace openbook::engine
