#include <algorithm>
#include <utility>

#include "answer/recorded.h"
#include "answer/ruling.h"
#include "openbook/base/utf8.h"
#include "openbook/guard/ruled_answer.h"

namespace openbook {
namespace {

using guard::RecordedAnswer;
using guard::RecordedSentence;
using guard::Ruling;

// A sentence that the model said by itself, and what became of it.
struct SaidSentence {
  const Attempt* said = nullptr;
  bool tried_more = false;                  // it was proved, steered or cut
  bool refused = false;                     // the answer ended in front of it
  const RecordedSentence* shown = nullptr;  // itself, or what was shown in its place

  bool shown_as_said() const { return shown && !shown->steered && shown->text == said->text; }
  bool shown_in_part() const { return shown && !shown->steered && shown->text != said->text; }  // which ends an answer
};

// Every sentence begins with a "decode"; what was shown of it, if anything, is the next of the sentences that were shown.
std::vector<SaidSentence> said_in(const RecordedAnswer& recorded) {
  std::vector<SaidSentence> all;
  for (const Attempt& attempt : recorded.trace) {
    if (attempt.what == "decode") {
      all.push_back({.said = &attempt});
    } else if (!all.empty()) {
      (attempt.what == "refuse" ? all.back().refused : all.back().tried_more) = true;
    }
  }
  size_t shown = 0;
  for (SaidSentence& sentence : all)
    if (!sentence.refused && shown < recorded.sentences.size()) sentence.shown = &recorded.sentences[shown++];
  return all;
}

class RuleAgain {
 public:
  RuleAgain(const RecordedAnswer& recorded, const Policy& policy)
      : recorded_(recorded), question_(recorded.question), policy_(policy), said_(said_in(recorded)) {
    result_.recorded_outcome = recorded.outcome;
    result_.recorded_policy = recorded.policy.name;
  }

  RuledAnswer run() {
    if (said_.empty()) {  // the model said nothing: no policy changes that
      result_.outcome = recorded_.outcome;
      result_.reason = recorded_.refusal_reason;
    }
    const auto most = static_cast<size_t>(policy_.max_sentences);
    bool goes_on = true;
    for (at_ = 0; goes_on && at_ < std::min(said_.size(), most); ++at_) goes_on = step(said_[at_]);
    if (goes_on) say_what_may_follow(most);
    return finished();
  }

 private:
  Ruling ruling_under(const Policy& policy, const Attempt& said) const {
    guard::Judgement judgement{.words = said.words, .claims = said.claims, .citations = said.citations};
    for (const Word& word : said.words) {  // as they were recorded: another build may split a text otherwise
      const std::string written(slice(said.text, word.answer));
      judgement.said.push_back({.bytes = word.answer, .written = written, .folded = fold_case(written)});
    }
    return guard::rule(policy, question_, said.text, judgement, said.lacks);
  }

  // False: the answer ends here, or what follows is not known.
  bool step(const SaidSentence& sentence) {
    if (!sentence.shown && !sentence.refused) return abstain();
    const Ruling before = ruling_under(recorded_.policy, *sentence.said), now = ruling_under(policy_, *sentence.said);
    say_if_rules_changed(sentence, before);
    switch (now.action) {
      case Action::kAllow:
        return show_as_said(sentence, Delivery::kDelivered, {});
      case Action::kFlag:
        return show_as_said(sentence, Delivery::kFlagged, now.reason);
      case Action::kSteer:
        if (sentence.tried_more || before.action == Action::kSteer) return after_steering(sentence, now);
        return untried(sentence, now);
      case Action::kRefuse:
        break;
    }
    return refuse(sentence, now.reason);
  }

  // The model itself said that the documents do not answer; that ends an answer under every policy.
  bool abstain() {
    if (result_.sentences.empty()) result_.outcome = Outcome::kAbstained;
    return false;
  }

  bool show_as_said(const SaidSentence& sentence, Delivery delivery, std::string reason) {
    if (policy_.require_causal_citations && !all_measured(*sentence.said))
      not_known("whether the citations of " + here() + " are causal: it was not measured");
    result_.sentences.push_back({sentence.said->text, delivery, false, std::move(reason)});
    if (sentence.shown_as_said()) return true;
    not_known("what the model would have said after " + here() + ": under the recorded policy " +
              (sentence.refused ? "the answer ended there" : "something else was shown in its place"));
    return false;
  }

  static bool all_measured(const Attempt& said) {
    return std::all_of(said.claims.begin(), said.claims.end(),
                       [](const Claim& claim) { return !claim.citation || claim.causal_nats.has_value(); });
  }

  // What was tried instead of the sentence is on record.
  bool after_steering(const SaidSentence& sentence, const Ruling& now) {
    if (sentence.shown && !sentence.shown->flagged) {
      result_.sentences.push_back({sentence.shown->text, Delivery::kDelivered, sentence.shown->steered, {}});
      return true;
    }
    if (policy_.after_steering == Action::kFlag) return show_as_said(sentence, Delivery::kFlagged, now.reason);
    return refuse(sentence, now.reason);
  }

  bool untried(const SaidSentence& sentence, const Ruling& now) {
    result_.sentences.push_back({sentence.said->text, std::nullopt, false, now.reason});
    not_known("what steering would have brought for " + here() + ": it was never tried, since the recorded policy " +
              (sentence.refused          ? "refused it at once"
               : sentence.shown->flagged ? "flagged it"
                                         : "allowed it") +
              "; where it brings nothing that stands, the sentence is " +
              (policy_.after_steering == Action::kFlag ? "flagged" : "refused"));
    return false;
  }

  bool refuse(const SaidSentence& sentence, const std::string& reason) {
    if (result_.sentences.empty()) {
      result_.outcome = Outcome::kRefused;
      result_.reason = reason;
    }
    result_.sentences.push_back({sentence.said->text, Delivery::kRefused, false, reason});
    return false;
  }

  // The rules are this build's. The record shows what those did that ruled the answer.
  void say_if_rules_changed(const SaidSentence& sentence, const Ruling& before) {
    const bool steers = before.action == Action::kSteer, flags = before.action == Action::kFlag;
    const bool as_recorded = sentence.tried_more || sentence.refused
                                 ? steers || (sentence.refused && !sentence.tried_more && before.action == Action::kRefuse)
                             : sentence.shown->flagged ? flags || (steers && recorded_.policy.after_steering == Action::kFlag)
                                                       : before.action == Action::kAllow;
    if (!as_recorded)
      not_known("how the build that recorded it would rule " + here() +
                ": its rules were others, under its own policy this one " +
                (flags                             ? "flags"
                 : steers                          ? "steers"
                 : before.action == Action::kAllow ? "allows"
                                                   : "refuses") +
                " it");
  }

  void say_what_may_follow(size_t most) {
    const auto limit = static_cast<size_t>(recorded_.policy.max_sentences);
    if (said_.size() == limit && most > limit && !said_.back().shown_in_part())
      not_known("whether more would have followed: the recorded policy ended the answer after " + std::to_string(limit) +
                (limit == 1 ? " sentence" : " sentences"));
  }

  RuledAnswer finished() {
    for (const RuledSentence& sentence : result_.sentences)
      if (sentence.delivery && *sentence.delivery != Delivery::kRefused) {
        result_.outcome = Outcome::kAnswered;
        result_.text += sentence.text;
      }
    if (result_.outcome == Outcome::kRefused) result_.text = policy_.refusal_text;
    if (result_.outcome == Outcome::kAbstained) result_.text = policy_.abstained_text;
    return std::move(result_);
  }

  std::string here() const { return "sentence " + std::to_string(at_ + 1); }
  void not_known(std::string what) { result_.not_known.push_back(std::move(what)); }

  const RecordedAnswer& recorded_;
  const guard::Question question_;
  const Policy& policy_;
  const std::vector<SaidSentence> said_;
  size_t at_ = 0;
  RuledAnswer result_;
};

}  // namespace

RuledAnswer rule_again(const std::vector<LogEntry>& records, const Policy& policy) {
  const RecordedAnswer recorded = guard::read_records(records);
  return RuleAgain(recorded, policy).run();
}

}  // namespace openbook
