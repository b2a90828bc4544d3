// Lines with interval bands, and scatters.
#pragma once

#include <string>

#include "report/experiment.h"

namespace openbook::attribution {

// The figure of a "lines" chart (with `lines`) or a "scatter" chart.
std::string plot_html(const Json& chart, bool lines);

}  // namespace openbook::attribution
