// One experiment with function vectors: its prompts, the ways to make and put in vectors, and the search for a dose.
//
// Not thread-safe. Errors: those of BatchSession; cancelled.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "report/experiment.h"
#include "report/removal.h"

namespace openbook::attribution {

struct VectorTrial {
  std::string text;                     // of the prompt; a way's cue follows it
  std::vector<std::string> references;  // what the vector stands for, spellings of one answer
  std::string cluster;                  // subject, for intervals
  std::string group;                    // attribute, relation or language, for tables
  int64_t source = 0;                   // row of a way's vectors
  ByteSpan needle;                      // of `text`, where attention is pressed
};

// How vectors are made and put in. The first way of an experiment is the published one.
struct VectorWay {
  std::string name;
  HeadSet order;       // every head, the first to be used first
  at::Tensor vectors;  // float32 [sources, layers, heads, d_head]; undefined: attention is pressed onto the needle instead
  float kept = 0;      // of the head's own output: 0 replaces it, 1 adds to it
  int64_t positions = std::numeric_limits<int64_t>::max();  // that are edited, from the prompt's last token on
  std::string cue;                                          // after every prompt
};

// What is varied: `count` heads; `scale` multiplies vectors, or is the bias in nats of attention pressed; `sharpen` multiplies
// positive scores after it.
struct VectorDose {
  size_t way = 0;
  int64_t count = 0;  // 0: nothing is edited
  double scale = 1, sharpen = 1;
};

struct VectorExperiment {
  std::string name, title;  // "task", "Task vectors"
  std::string color;        // of the report
  std::string what;         // whose recall it is: "the target's attribute that the source asked for"
  std::string scale_name;   // "scale" or "bias"
  std::string goal, paper;
  std::vector<VectorTrial> development, test;
  std::vector<VectorTrial> beyond;  // a kind of its own, nothing of which is in development; reported by group
  std::string beyond_name;          // "people"; with beyond_what its recall is a figure too
  std::string beyond_what;          // whose recall that is
  std::vector<VectorWay> ways;
  std::vector<int64_t> counts;  // of heads, what is tried
  std::vector<double> scales, sharpens = {1};
  int64_t max_tokens = 20;            // the paper's; more where the trials have a needle that is longer
  std::vector<double> asked;          // recall of each test trial when the model is simply asked; empty: it can't be
  std::vector<std::string> left_out;  // as in a part of the report
};

VectorExperiment task_experiment(const Laboratory& lab);
VectorExperiment parametric_experiment(const Laboratory& lab);
VectorExperiment retrieval_experiment(const Laboratory& lab);

// Counts of heads to try: a few as they are, then shares of all, rounded up. Ascending, each once, none above `all`.
std::vector<int64_t> head_counts(int64_t all, const std::vector<int64_t>& few, const std::vector<double>& shares);

// The text's tokens, after what the tokenizer puts before every text.
std::vector<engine::TokenId> tokens_of_text(const engine::Model& model, const std::string& text);

// Graded token recall of every trial under every dose: [dose][trial].
std::vector<std::vector<double>> recalls(const Laboratory& lab, const VectorExperiment& experiment,
                                         const std::vector<VectorTrial>& trials, const std::vector<VectorDose>& doses,
                                         const std::string& stage);

}  // namespace openbook::attribution
