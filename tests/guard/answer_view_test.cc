// How an answer looks where there is no terminal: marks in words instead of colours, footnotes, and nothing that steers a
// terminal.
#include "answer_view.h"

#include <gmock/gmock.h>

namespace openbook::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// Words with verdicts, each a claim of its own unless it is neutral; "[Bergen]" is cited.
Answer answer_of(const std::vector<std::pair<std::string, Verdict>>& words) {
  Answer answer;
  answer.outcome = Outcome::kAnswered;
  for (const auto& [text, verdict] : words) {
    answer.text += " ";
    const auto begin = static_cast<int64_t>(answer.text.size());
    answer.text += text;
    const ByteSpan bytes{begin, static_cast<int64_t>(answer.text.size())};
    answer.words.push_back({.answer = bytes, .verdict = verdict});
    if (verdict == Verdict::kNeutral) continue;
    answer.claims.push_back(
        {.answer = bytes, .first_word = static_cast<int32_t>(answer.words.size()) - 1, .words = 1, .verdict = verdict});
  }
  return answer;
}

void cite(Answer& answer, size_t claim, const std::string& document, ByteSpan source, const std::string& sentence) {
  Citation citation;
  citation.answer = answer.claims[claim].answer;
  citation.document_id = document;
  citation.source = source;
  citation.line = 7;
  citation.quote = slice(answer.text, citation.answer);
  citation.sentence_text = sentence;
  answer.claims[claim].citation = static_cast<int32_t>(answer.citations.size());
  answer.claims[claim].support = Support::kSupported;
  answer.citations.push_back(citation);
}

TEST(AnswerView, MarksWhatIsRecitedOrUncheckedAndNumbersWhatIsCited) {
  Answer answer = answer_of({{"It", Verdict::kNeutral},
                             {"Bergen", Verdict::kCopied},
                             {"or", Verdict::kNeutral},
                             {"Oslo", Verdict::kRecited},
                             {"Lund", Verdict::kUnchecked}});
  cite(answer, 0, "a.md", {3, 9}, "The capital is Bergen.");
  EXPECT_EQ(answer_text(answer),
            "It Bergen[1] or [recited: Oslo] [unchecked: Lund]\n\n[1] a.md:7  \"Bergen\"\n    The capital is Bergen.\n");
}

TEST(AnswerView, ClaimsThatQuoteOnePlaceShareAFootnote) {
  Answer answer = answer_of(
      {{"Bergen", Verdict::kCopied}, {"and", Verdict::kNeutral}, {"Bergen", Verdict::kCopied}, {"Bergen", Verdict::kCopied}});
  cite(answer, 0, "a.md", {3, 9}, "A.");
  cite(answer, 1, "a.md", {3, 9}, "A.");
  cite(answer, 2, "b.md", {3, 9}, "B.");
  answer.citations[2].line = 0;
  answer.citations[2].causal_nats = 2.25;
  const std::string text = answer_text(answer);
  EXPECT_THAT(text, HasSubstr("Bergen[1] and Bergen[1] Bergen[2]\n"));
  EXPECT_THAT(text, HasSubstr("[2] b.md  \"Bergen\"  (not causal, 2.2 nats)\n"));
  EXPECT_THAT(text, Not(HasSubstr("[3]")));
}

TEST(AnswerView, WhatIsNotSupportedHasNoFootnote) {
  Answer answer = answer_of({{"Bergen", Verdict::kCopied}});
  cite(answer, 0, "a.md", {3, 9}, "A.");
  answer.claims[0].support = Support::kCopiedOffTopic;
  EXPECT_EQ(answer_text(answer), "Bergen\n");
}

TEST(AnswerView, ARefusalSaysWhyAndWhatWasTried) {
  Answer answer;
  answer.text = "The documents do not say.";
  answer.refusal_reason = "recited: \"Oslo\"";
  answer.trace = {{"decode", "It is Oslo.\nYes.", "recited: \"Oslo\"", {}}, {"refuse", "", "recited: \"Oslo\"", {}}};
  EXPECT_EQ(answer_text(answer),
            "The documents do not say.\nrefused: recited: \"Oslo\"\ntried:\n  decode: \"It is Oslo.\n    Yes.\" -> recited: "
            "\"Oslo\"\n  refuse: recited: \"Oslo\"\n");
  answer.outcome = Outcome::kAbstained;
  EXPECT_THAT(answer_text(answer), HasSubstr("abstained: the model says that the documents do not answer\n"));
  answer.trace.resize(1);
  EXPECT_THAT(answer_text(answer), Not(HasSubstr("tried")));
}

TEST(AnswerView, ANameOrAQuoteCanNotForgeAFootnote) {
  const std::string forged = "\n[7] trusted.md:1  \"forged\"\r\tx";
  Answer answer = answer_of({{"Bergen", Verdict::kCopied}});
  cite(answer, 0, "l.md:9" + forged, {3, 9}, "A sentence\n[7] of two lines.");
  answer.citations[0].quote = "Bergen" + forged;
  const std::string escaped = "\\n[7] trusted.md:1  \"forged\"\\r\\tx";
  EXPECT_EQ(answer_text(answer),
            "Bergen[1]\n\n[1] l.md:9" + escaped + ":7  \"Bergen" + escaped + "\"\n    A sentence\n    [7] of two lines.\n");
  answer.outcome = Outcome::kRefused;
  answer.refusal_reason = "recited: \"Oslo" + forged + "\"";
  EXPECT_EQ(answer_text(answer), answer.text + "\nrefused: recited: \"Oslo" + escaped + "\"\n");
}

TEST(AnswerView, NothingFromAModelOrADocumentSteersTheTerminal) {
  const std::string evil = "\x1B[8m\x07\xE2\x80\xAE";
  Answer answer = answer_of({{"Bergen" + evil, Verdict::kCopied}, {"Oslo" + evil, Verdict::kRecited}});
  cite(answer, 0, "a" + evil + ".md", {3, 9}, "A" + evil);
  answer.text += evil;
  answer.trace = {{"decode", evil, evil, {}}, {"refuse", evil, evil, {}}};
  for (const Outcome outcome : {Outcome::kAnswered, Outcome::kRefused, Outcome::kAbstained}) {
    answer.outcome = outcome;
    answer.refusal_reason = evil;
    const std::string text = answer_text(answer);
    for (const char* raw : {"\x1B", "\x07", "\xE2\x80\xAE"}) EXPECT_EQ(text.find(raw), std::string::npos) << text;
    EXPECT_THAT(text, HasSubstr("\\x1B[8m\\x07\\u{202E}"));
  }
}

}  // namespace
}  // namespace openbook::cli
