// The report as one self-contained HTML page: no network, no script, light and dark, readable on a phone, well-formed XML.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/experiment.h"

namespace openbook::attribution {

// `report` is what write_report returns.
std::string report_page(const Json& report);

// The figures of all parts, in order, for tables of them.
struct ReportFigure {
  std::string part, label;
  std::string ours, goal, paper;  // texts; goal and paper may be empty
  std::string counts;             // "234 copied, 186 recited", where it is known
  std::optional<bool> reached;    // nothing when the goal is no plain ">= number" or "<= number", or ours is missing
  bool crosses = false;           // the interval holds values on both sides of the goal

  std::string verdict() const;  // "reached", "not reached (interval crosses)"; empty without `reached`
};
std::vector<ReportFigure> figures_of(const Json& report);

}  // namespace openbook::attribution
