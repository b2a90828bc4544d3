// Which heads read and which recite: scores of every head, and the heads chosen by them.
//
// Difference score: D_h = mean over open-book cases of R_h - mean over closed-book cases of R_h. In-context heads have the
// largest, parametric heads the smallest. Each case's relevance is normalised to sum 1; the paper leaves that open, and without
// it a few cases with large logits decide the mean. Task and retrieval score: mean relevance of attention weights on the
// question's tokens (task) and on the answer's tokens in the passages (retrieval), over the open-book cases. Each case's
// relevance is normalised by its sum over heads and keys (Kahardipraja et al. 2025, sections 4 and 5).
//
// Not thread-safe while cases are added. Errors: invalid_argument where shapes disagree or a score is not finite; internal when a
// relevance is not finite or sums to 0.
//
//   HeadScoreMeans means(layers, heads);
//   means.add_open_book(relevance.heads);
//   means.add_keys(relevance.keys, {question_tokens}, answer_tokens);
//   const HeadScores scores = means.scores();
//   for (const HeadRole& role : head_roles(flat(scores.difference()), flat(scores.task), flat(scores.retrieval),
//   RoleSize::kElbow))
//     print(role.name, members(role));
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "openbook/base/span.h"
#include "openbook/engine/head_id.h"

namespace openbook::attribution {

struct HeadScores {
  at::Tensor open_book, closed_book;  // [layers, heads] float64, mean normalised relevance; 0 without cases
  at::Tensor task, retrieval;         // [layers, heads] float64, mean relevance on question / answer tokens; 0 without cases
  int64_t open_cases = 0, closed_cases = 0, key_cases = 0;

  at::Tensor difference() const { return open_book - closed_book; }
};

// Running means over cases, so that only one case's relevance is in memory at a time.
class HeadScoreMeans {
 public:
  HeadScoreMeans(int64_t layers, int64_t heads);

  // `relevance` is HeadRelevance::heads, [layers, heads].
  void add_open_book(const at::Tensor& relevance);
  void add_closed_book(const at::Tensor& relevance);

  // `keys` is HeadRelevance::keys, [layers, heads, tokens], of an open-book case; the spans are prompt tokens of the question and
  // of every occurrence of the answer in the passages.
  void add_keys(const at::Tensor& keys, const std::vector<TokenRange>& question, const std::vector<TokenRange>& answer);

  HeadScores scores() const;

 private:
  HeadScores sums_;
};

// [layers * heads], by layer, of a score [layers, heads].
std::vector<double> flat(const at::Tensor& score);

// How many heads have a role.
enum class RoleSize {
  kElbow,       // those before the elbow of the role's scores: heads_before_elbow()
  kPaperShare,  // the paper's share of all heads: of 1,024, 100 in-context and 100 parametric, 40 task and 40 retrieval ones
};

struct HeadRole {
  std::string name;            // "in_context", "parametric", "task", "retrieval"
  std::vector<double> scores;  // [layers * heads], by layer: the larger, the more a head has the role
  int64_t count = 0;           // of the heads with the largest scores: those that have the role
};

// In-context, parametric, task and retrieval heads, in this order, by scores [layers * heads]. A head may have several roles. A
// score that is empty, because there were no cases, gives a role without heads.
std::vector<HeadRole> head_roles(const std::vector<double>& difference, const std::vector<double>& task,
                                 const std::vector<double>& retrieval, RoleSize size);

// The role's heads, best first, as indices into its scores; ties by layer, then head.
std::vector<size_t> members(const HeadRole& role);

// How many scores come before the elbow of the curve of all positive scores, sorted. The elbow is the point of the curve that
// lies farthest below the straight line between its ends (Satopaa et al. 2011, "Finding a Kneedle in a haystack"); without an
// elbow all positive scores count. The rule has no parameter, and a factor common to all scores changes nothing.
int64_t heads_before_elbow(std::vector<double> scores);

// The `count` heads of the largest (or smallest) score, best first; ties by layer, then head. `score` is [layers, heads].
std::vector<engine::HeadId> largest(const at::Tensor& score, int64_t count);
std::vector<engine::HeadId> smallest(const at::Tensor& score, int64_t count);

}  // namespace openbook::attribution
