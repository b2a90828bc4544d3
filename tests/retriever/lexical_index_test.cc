#include "lexical_index.h"

#include <cmath>

#include "base/test_support.h"
#include "fusion.h"
#include "openbook/base/utf8.h"
#include "postings.h"
#include "record.h"

namespace openbook::retriever {
namespace {

using Terms = std::vector<std::string>;

// One document a text, one chunk each, ids from 1.
LexicalIndex index_of(const std::vector<std::string>& texts) {
  LexicalIndex index;
  for (size_t i = 0; i < texts.size(); ++i) {
    const Terms terms = index_terms(texts[i]);
    index.add(i + 1, {terms.size()}, encode_postings({terms}), "test");
  }
  return index;
}

TEST(IndexTerms, FoldCaseAndPairUpNeighboursInScriptsWithoutBlanks) {
  EXPECT_EQ(index_terms("Élan, 3.5 DON'T!"), (Terms{"élan", "3.5", "don't"}));
  EXPECT_EQ(index_terms("年假 5 天"), (Terms{"年", "年假", "假", "5", "天"}));
  EXPECT_EQ(index_terms("か\u3099く"), (Terms{"が", "がく", "く"}));  // a mark of its own is not
  EXPECT_EQ(index_terms("?!"), Terms{});
}

TEST(IndexTerms, WordsWithoutBlanksAreThoseOfADictionary) {
  EXPECT_EQ(index_terms("กุญแจสำรองอยู่"), (Terms{"กุญแจ", fold_case("สำรอง"), "อยู่"}));
  EXPECT_EQ(index_terms("ຫ້ອງເຢັນ"), (Terms{"ຫ້ອງ", "ເຢັນ"}));
}

TEST(IndexTerms, NumbersAndDaysAreTermsByValueToo) {
  EXPECT_EQ(index_terms("12,500 co\u00ADpies"), (Terms{"12500", "copies"}));
  EXPECT_EQ(index_terms("La multa es de 12.500 euros"), (Terms{"la", "multa", "es", "de", "12.500", "euros", "12500"}));
  EXPECT_EQ(index_terms("on 9 May 2001"), (Terms{"on", "9", "may", "2001", "2001-05-09", "2001-05", "--05-09"}));
  EXPECT_EQ(index_terms("on 2001-05-09"), (Terms{"on", "2001", "05", "09", "2001-05-09", "2001-05", "--05-09"}));
  EXPECT_EQ(index_terms("May 9"), (Terms{"may", "9", "--05-09"}));
}

TEST(LexicalIndex, FindsNumbersAndDaysInEverySpelling) {
  const LexicalIndex index = index_of({"opened on 9 May 2001", "opened on 2002-05-09", "12,500 visitors", "14,500 visitors"});
  const auto best = [&](const char* question) { return index.search(question, 1, {{1, 5}}).at(0).chunk_id; };
  EXPECT_EQ(best("opened 2001-05-09"), 1u);
  EXPECT_EQ(best("opened on May 9th, 2002"), 2u);
  EXPECT_EQ(best("12500 visitors"), 3u);
  EXPECT_EQ(best("14\u00A0500 visitors"), 4u);
}

TEST(Postings, SayByWhichRulesTheirTermsWereMade) {
  EXPECT_TRUE(has_current_terms(encode_postings({{"a"}})));
  EXPECT_TRUE(has_current_terms(encode_postings({})));
  EXPECT_FALSE(has_current_terms(RecordWriter().string("a").number(1).number(0).number(1).take()));
  EXPECT_FALSE(has_current_terms(""));
}

TEST(Postings, WhatIsWrittenIsRead) {
  std::vector<std::tuple<std::string, uint64_t, uint64_t>> read;
  for_each_posting(encode_postings({{"b", "a", "b"}, {}, {"b"}}), "test",
                   [&](std::string_view term, uint64_t chunk, uint64_t count) { read.emplace_back(term, chunk, count); });
  EXPECT_EQ(read, (std::vector<std::tuple<std::string, uint64_t, uint64_t>>{{"a", 0, 1}, {"b", 0, 2}, {"b", 2, 1}}));
}

TEST(Postings, DamageIsDataLoss) {
  const auto ignore = [](std::string_view, uint64_t, uint64_t) {};
  const std::string good = encode_postings({{"word", "other"}});
  const size_t rules = encode_postings({}).size();
  for (size_t size = 1; size < good.size(); ++size) {
    if (size == rules || size == rules + 9) continue;  // the borders of the terms
    EXPECT_ERROR(for_each_posting(good.substr(0, size), "document x", ignore), Code::kDataLoss, "document x");
  }
  EXPECT_ERROR(for_each_posting(std::string(11, '\xFF'), "x", ignore), Code::kDataLoss, "malformed");
  LexicalIndex index;
  EXPECT_ERROR(index.add(1, {2}, RecordWriter().string("w").number(1).number(5).number(1).take(), "x"), Code::kDataLoss,
               "don't fit");
}

TEST(LexicalIndex, ScoresAreBm25) {
  const LexicalIndex index = index_of({"red fox", "red red hen here", "blue"});
  const auto hits = index.search("Red", 10, {{1, 4}});
  ASSERT_EQ(hits.size(), 2u);
  const double idf = std::log(1 + (3 - 2 + 0.5) / (2 + 0.5)), average = 7.0 / 3;
  const auto score = [&](double count, double length) {
    return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / average));
  };
  EXPECT_EQ(hits[0].chunk_id, 2u);
  EXPECT_NEAR(hits[0].score, score(2, 4), 1e-12);
  EXPECT_NEAR(hits[1].score, score(1, 2), 1e-12);
}

TEST(LexicalIndex, WhatIsNotAllowedInfluencesNoScore) {
  const LexicalIndex all = index_of({"red fox", "red red hen", "red", "blue fox and more words"});
  const LexicalIndex part = index_of({"red fox", "red red hen"});
  const auto filtered = all.search("red fox", 10, {{1, 3}});
  const auto alone = part.search("red fox", 10, {{1, 3}});
  ASSERT_EQ(filtered.size(), alone.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(filtered[i].chunk_id, alone[i].chunk_id);
    EXPECT_DOUBLE_EQ(filtered[i].score, alone[i].score);
  }
}

TEST(LexicalIndex, DroppingDeadChunksChangesNoRanking) {
  LexicalIndex index = index_of({"red fox", "grey", "red hen", "grey fox", "red"});
  const ChunkRanges live = {{1, 2}, {3, 4}, {5, 6}};
  const auto before = index.search("red hen", 10, live);
  index.drop_dead(live);
  EXPECT_EQ(index.rows(), 3u);
  const auto after = index.search("red hen", 10, live);
  ASSERT_EQ(after.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(after[i].chunk_id, before[i].chunk_id);
    EXPECT_DOUBLE_EQ(after[i].score, before[i].score);
  }
  EXPECT_TRUE(index.search("grey", 10, live).empty());
}

TEST(Fusion, SumsReciprocalRanksAndBreaksTiesById) {
  const auto fused = fuse({{7, 9.0}, {3, 8.0}, {5, 1.0}}, {{3, 0.5}, {4, 0.4}}, 3);
  ASSERT_EQ(fused.size(), 3u);
  EXPECT_EQ(fused[0].chunk_id, 3u);
  EXPECT_DOUBLE_EQ(fused[0].score, 1.0 / 62 + 1.0 / 61);
  EXPECT_EQ(fused[1].chunk_id, 7u);
  EXPECT_EQ(fused[2].chunk_id, 4u);  // rank 2 beats 5's rank 3
  EXPECT_EQ(fuse({{9, 1}}, {{2, 1}}, 9)[0].chunk_id, 2u);
}

}  // namespace
}  // namespace openbook::retriever
