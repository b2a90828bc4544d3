#include "log/hmac.h"

#include "base/test_support.h"

namespace openbook::provenance {
namespace {

std::vector<uint8_t> bytes_of(const std::string& digits) {
  std::vector<uint8_t> bytes(digits.size() / 2);
  if (!unhex(digits, bytes)) throw std::runtime_error("not hex: " + digits);
  return bytes;
}

std::string text_of(const std::string& digits) {
  const auto bytes = bytes_of(digits);
  return {bytes.begin(), bytes.end()};
}

TEST(Hmac, EqualsTheVectorsOfRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(std::vector<uint8_t>(20, 0x0b), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256(bytes_of("4a656665"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::vector<uint8_t>(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hkdf, EqualsTheVectorsOfRfc5869) {
  std::vector<uint8_t> output(42);
  hkdf_sha256(std::vector<uint8_t>(22, 0x0b), text_of("000102030405060708090a0b0c"), text_of("f0f1f2f3f4f5f6f7f8f9"), output);
  EXPECT_EQ(hex(output), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_sha256(std::vector<uint8_t>(22, 0x0b), "", "", output);
  EXPECT_EQ(hex(output), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hex, OnlyTheOneSpellingIsRead) {
  std::array<uint8_t, 2> bytes;
  EXPECT_TRUE(unhex("00ff", bytes));
  for (const char* text : {"00FF", "0ff", "00ff0", "0x00", "00fg", "", " 0ff"}) EXPECT_FALSE(unhex(text, bytes)) << text;
}

TEST(Secret, MovingWipesWhereItWas) {
  Secret secret;
  fill_random(secret.bytes());
  secret.bytes()[0] = 1;
  Secret moved(std::move(secret));
  EXPECT_EQ(moved.bytes()[0], 1);
  for (const uint8_t byte : secret.bytes()) EXPECT_EQ(byte, 0);
}

}  // namespace
}  // namespace openbook::provenance
