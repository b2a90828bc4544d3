#include "tokenizer/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <cstdio>

#include "json/parse_json.h"
#include "openbook/base/error.h"
#include "openbook/base/hash.h"
#include "openbook/base/utf8.h"
#include "tokenizer/lossy_utf8.h"
#include "tokenizer/vocabulary.h"

namespace openbook::engine {
namespace {

constexpr std::string_view kSpaceSign = "\u2581";

// Runs a call of the library; what it says is wrong becomes an error, and so does what its parts throw at damaged models.
template <typename Call>
void require_ok(Call call, Code code, const std::string& what) {
  std::string problem;
  try {
    const sentencepiece::util::Status status = call();
    if (status.ok()) return;
    problem = status.message();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  throw Error(code, what + ": " + problem, "Fetch the file again.");
}

std::string byte_piece(char byte) {
  char name[8];
  std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned char>(byte));
  return name;
}

int64_t parse_id(const std::string& text, const JsonField& where) {
  if (text.empty() || text.size() > 8 || text.find_first_not_of("0123456789") != text.npos ||
      std::stol(text) > Vocabulary::kLargestId)
    where.malformed("\"" + text + "\" is no token id");
  return std::stol(text);
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(std::string_view model, const std::string& name, std::string_view config,
                                               const std::string& config_name)
    : name_(name), processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  Sha256 hash;
  hash.update(model);
  hash.update(config);
  fingerprint_ = to_hex(hash.finish());

  if (model.empty()) throw Error(Code::kInvalidArgument, name + ": is empty", "Fetch the file again.");
  require_ok(
      [&] {
        return processor_->LoadFromSerializedProto({model.data(), model.size()});
      },
      Code::kInvalidArgument, name + ": not a SentencePiece model, or cut short");
  vocabulary_size_ = processor_->GetPieceSize();
  for (int id = 0; id < processor_->GetPieceSize(); ++id)
    if (processor_->IsControl(id)) add({.id = id, .content = processor_->IdToPiece(id), .special = true});
  if (processor_->bos_id() >= 0) before_ = {processor_->bos_id()};
  if (!config.empty()) {
    const nlohmann::json json = parse_json(config, config_name);
    read_config(JsonField(json, config_name));
  }
  std::vector<AddedToken> tokens;
  for (const auto& [id, token] : added_) tokens.push_back(token);
  finder_ = AddedTokens(std::move(tokens));
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

void SentencePieceTokenizer::read_config(const JsonField& config) {
  if (!config.flag("add_bos_token", true)) before_.clear();
  if (config.flag("add_eos_token", false) && processor_->eos_id() >= 0) after_ = {processor_->eos_id()};
  const auto listed = config.find("added_tokens_decoder");
  if (!listed) return;
  for (const auto& [key, ignored] : listed->object().items()) {
    const JsonField field = listed->at(key);
    AddedToken token{.id = static_cast<TokenId>(parse_id(key, *listed)),
                     .content = field.text("content"),
                     .special = field.flag("special", false),
                     .single_word = field.flag("single_word", false),
                     .strip_left = field.flag("lstrip", false),
                     .strip_right = field.flag("rstrip", false)};
    if (is_piece(token.id)) {
      if (const std::string& piece = processor_->IdToPiece(token.id); piece != token.content)
        field.malformed("token " + key + " is \"" + token.content + "\" here and \"" + piece + "\" in " + name_);
      if (!token.special || token.id == processor_->unk_id()) continue;  // the library finds it by itself
    }
    if (!token.content.empty()) add(std::move(token));
  }
}

void SentencePieceTokenizer::add(AddedToken token) {
  vocabulary_size_ = std::max<int64_t>(vocabulary_size_, token.id + 1);
  added_[token.id] = std::move(token);
}

bool SentencePieceTokenizer::is_piece(TokenId id) const { return id >= 0 && id < processor_->GetPieceSize(); }

bool SentencePieceTokenizer::is_special(TokenId id) const {
  const auto found = added_.find(id);
  return found != added_.end() && found->second.special;
}

std::optional<TokenId> SentencePieceTokenizer::piece_id(std::string_view piece) const {
  const int id = processor_->PieceToId({piece.data(), piece.size()});  // the unknown piece's for what is none
  if (!is_piece(id) || processor_->IdToPiece(id) != piece) return std::nullopt;
  return id;
}

std::optional<TokenId> SentencePieceTokenizer::find(std::string_view token) const {
  if (const auto id = piece_id(token)) return id;
  for (const auto& [id, added] : added_)
    if (added.content == token) return id;
  return std::nullopt;
}

std::vector<Token> SentencePieceTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  require_utf8(text, "text to encode");
  std::vector<Token> tokens;
  if (options.add_special)
    for (const TokenId id : before_) tokens.push_back({id, {}});
  for (const Stretch& stretch : finder_.find(text, options.parse_special)) {
    if (stretch.token)
      tokens.push_back({stretch.token->id, stretch.span});
    else
      encode_plain(text.substr(stretch.span.begin, stretch.span.size()), stretch.span.begin, tokens);
  }
  if (options.add_special)
    for (const TokenId id : after_) tokens.push_back({id, {}});
  return tokens;
}

void SentencePieceTokenizer::encode_plain(std::string_view text, int64_t offset, std::vector<Token>& tokens) const {
  sentencepiece::ImmutableSentencePieceText pieces;
  require_ok(
      [&] {
        return processor_->Encode({text.data(), text.size()}, pieces.mutable_proto());
      },
      Code::kInvalidArgument, name_ + ": can't encode");
  for (size_t i = 0; i < pieces.pieces_size(); ++i) {
    const auto piece = pieces.pieces(static_cast<int>(i));
    const auto id = static_cast<TokenId>(piece.id());
    const ByteSpan span{offset + piece.begin(), offset + piece.end()};
    if (is_special(id))
      spell_out(text.substr(piece.begin(), piece.end() - piece.begin()), span.begin, tokens);
    else
      tokens.push_back({id, span});
  }
}

void SentencePieceTokenizer::spell_out(std::string_view text, int64_t offset, std::vector<Token>& tokens) const {
  for (const CodePoint& point : code_points(text)) {
    const std::string_view character = text.substr(point.offset, point.length);
    const int64_t begin = offset + static_cast<int64_t>(point.offset);
    const ByteSpan whole{begin, begin + static_cast<int64_t>(point.length)};
    if (const auto id = piece_id(character); id && !is_special(*id))
      tokens.push_back({*id, whole});
    else if (!piece_id(byte_piece(character.front())))
      tokens.push_back({processor_->unk_id(), whole});
    else
      for (size_t i = 0; i < character.size(); ++i)
        tokens.push_back({piece_id(byte_piece(character[i])).value_or(processor_->unk_id()),
                          {begin + static_cast<int64_t>(i), begin + static_cast<int64_t>(i) + 1}});
  }
}

std::string SentencePieceTokenizer::token_bytes(TokenId id) const {
  if (const auto found = added_.find(id); found != added_.end()) return found->second.content;
  if (!is_piece(id))
    throw Error(Code::kInvalidArgument,
                name_ + ": no token has id " + std::to_string(id) + "; ids end at " + std::to_string(vocabulary_size_ - 1),
                "Use the tokenizer that belongs to the model.");
  std::string piece = processor_->IdToPiece(id);
  if (processor_->IsByte(id)) return std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)));
  if (processor_->IsUnknown(id)) return " \u2047 ";  // as the library shows it
  for (size_t at = 0; (at = piece.find(kSpaceSign, at)) != piece.npos; ++at) piece.replace(at, kSpaceSign.size(), 1, ' ');
  return piece;
}

std::string SentencePieceTokenizer::pieces_text(std::vector<int>& ids) const {
  std::string text;
  require_ok([&] { return processor_->Decode(ids, &text); }, Code::kInvalidArgument, name_ + ": can't decode");
  ids.clear();
  return text;
}

std::string SentencePieceTokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string text;
  std::vector<int> pieces;
  for (const TokenId id : ids) {
    if (is_special(id) && skip_special) continue;
    if (!added_.contains(id) && is_piece(id)) {
      pieces.push_back(id);
      continue;
    }
    text += pieces_text(pieces) + token_bytes(id);
  }
  return lossy_utf8(text + pieces_text(pieces));
}

}  // namespace openbook::engine
