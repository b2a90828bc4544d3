// What a finder says of two halves of the fit relations' subjects: whether roles come from the model or from the sample.
#pragma once

#include <string>
#include <vector>

#include "openbook/attribution/head_roles.h"
#include "report/experiment.h"

namespace openbook::attribution {

// By head, [layers * heads]; `retrieval` is empty where it could not be found.
struct RoleScores {
  std::vector<double> difference, task, retrieval;

  std::vector<HeadRole> roles(RoleSize size) const { return head_roles(difference, task, retrieval, size); }
};

// Cases of the fit split, open-book ones that gave the document's answer and closed-book ones that gave memory's.
struct RoleHalf {
  std::vector<const ObservedCase*> open, closed;
};

// Two, of up to as many cases as the atlas is made from, or 8 in a quick report; no subject is in both.
std::vector<RoleHalf> role_halves(const Laboratory& lab);

// What one finder says of both halves, each found by itself.
struct FoundRoles {
  std::string label;
  std::vector<HeadScores> halves;
  std::vector<int64_t> retrieval_cases;  // that a half's retrieval scores are means of

  RoleScores half(size_t i) const;
  RoleScores whole() const;  // of all cases together
  bool fetched() const;      // whether both halves have retrieval scores
};

// AttnLRP, or the finder that is free of it (HeadFinder::kWriteScore): as the atlas builder finds heads.
FoundRoles find_roles(const Laboratory& lab, const std::vector<RoleHalf>& halves, bool lrp);
std::string finder_label(bool lrp);
bool made_by_lrp(const HeadAtlas& atlas);

}  // namespace openbook::attribution
