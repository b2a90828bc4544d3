#include "openbook/attribution/spelling.h"

#include <gmock/gmock.h>

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::attribution {
namespace {

using testing::Each;
using testing::ElementsAre;

class SpellingTest : public testing::Test {
 protected:
  engine::TokenId id(const std::string& text) const {
    const auto tokens = tokenizer_.encode(text);
    EXPECT_EQ(tokens.size(), 1u) << text;
    return tokens.front().id;
  }

  std::shared_ptr<const engine::Model> model_ = engine::test::load_tiny("plain");
  const engine::Tokenizer& tokenizer_ = model_->tokenizer();
};

TEST_F(SpellingTest, CaseAndTheSpaceBeforeItDoNotCount) {
  const std::vector<engine::TokenId> tokens = {id("a"), id("A"), id("b"), id("7")};
  const Spelling spelling(tokenizer_, tokens);
  EXPECT_THAT(spelling.like(id("a")), ElementsAre(true, true, false, false));
  EXPECT_THAT(spelling.like(id("A")), ElementsAre(true, true, false, false));
  EXPECT_THAT(spelling.like(id("7")), ElementsAre(false, false, false, true));
}

TEST_F(SpellingTest, NothingIsSpeltLikeSpaceASpecialOrAnUnknownToken) {
  const engine::TokenId space = id(" ");
  engine::TokenId special = 0;
  while (!tokenizer_.is_special(special)) ++special;
  const auto unknown = static_cast<engine::TokenId>(tokenizer_.vocabulary_size());
  const std::vector<engine::TokenId> tokens = {space, special, unknown, id("a")};
  EXPECT_THAT(Spelling(tokenizer_, tokens).like(space), Each(false));
  EXPECT_THAT(Spelling(tokenizer_, tokens).like(special), Each(false));
  EXPECT_THAT(Spelling(tokenizer_, tokens).like(unknown), Each(false));
}

TEST_F(SpellingTest, BytesOfACutCharacterAreComparedAsTheyAre) {
  const std::string accent = "\xC3\xA9";  // two tokens, or one, whichever the vocabulary has
  const auto pieces = tokenizer_.encode(accent);
  std::vector<engine::TokenId> tokens;
  for (const engine::Token& piece : pieces) tokens.push_back(piece.id);
  const std::vector<bool> like = Spelling(tokenizer_, tokens).like(tokens.front());
  EXPECT_TRUE(like.front());
  EXPECT_EQ(std::count(like.begin(), like.end(), true), 1);
}

TEST_F(SpellingTest, OfNoTokensNoneIsAlike) { EXPECT_TRUE(Spelling(tokenizer_, {}).like(id("a")).empty()); }

}  // namespace
}  // namespace openbook::attribution
