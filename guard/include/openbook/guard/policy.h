// What may be said: the rules that turn verdicts into delivered, flagged, steered or refused sentences.
//
// A TOML file (guard/policies/*.toml). Unknown keys and versions are refused by name: a misspelt rule must not read as a rule
// that is off. Of the rules that apply to a sentence the strictest decides (allow < flag < steer < refuse). A default Policy, and
// what a file leaves out, is cite-or-refuse. Plain data.
//
//   Policy policy = Policy::load("cite-or-refuse");   // a shipped one, or a file
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace openbook {

enum class Action { kAllow, kFlag, kSteer, kRefuse };
std::string_view action_name(Action action);

struct Policy {
  static constexpr int kVersion = 1;

  std::string name = "cite-or-refuse";  // a file must give its own
  Action on_recited = Action::kSteer;   // a sentence with a recited claim
  Action on_unchecked =
      Action::kSteer;  // one with an unchecked claim, or with one that is copied off topic beside a supported one
  Action on_off_topic = Action::kSteer;     // one without a supported claim that copies from a place that does not speak of the
                                            // question, or an answer's first one when it does not say what was asked
  Action on_uncited = Action::kSteer;       // one without any supported claim
  Action after_steering = Action::kRefuse;  // what follows when a steered sentence is not causal: flag or refuse
  bool require_causal_citations = false;    // also for sentences that were not steered
  bool stream_words = false;                // show words as they come, marked provisional; only when nothing can be refused
  int64_t max_sentences = 4;                // delivered at most; the answer ends there
  std::string refusal_text = "The documents do not support an answer to this question.";
  std::string abstained_text = "The documents do not answer this question.";  // shown when the model itself says so

  // Throws not_found, invalid_argument naming file, key and the known keys, unimplemented (another version).
  static Policy load(const std::filesystem::path& name_or_file);
  static Policy parse(std::string_view toml, const std::string& where);

  // Shows everything as it is spoken and marks what is recited or unchecked: the shipped policy `annotate`.
  static Policy annotate();

  std::string to_toml() const;  // a whole file; parse() reads the same policy from it

  // Hex SHA-256 over every field. A field that younger builds have counts only where it differs from its default: a policy that
  // was named in a log or an evaluation before keeps its fingerprint.
  std::string fingerprint() const;
};

}  // namespace openbook
