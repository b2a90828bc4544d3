// Draws the charts of a part (experiment.h has their JSON) as inline SVG and HTML, in the colours of the page's style.
#pragma once

#include <string>

#include "report/experiment.h"

namespace openbook::attribution {

// A whole <figure>. A chart without a single finite point says so in words; points that are null or no numbers are left out, and
// a line breaks there. Never throws for what the JSON holds: an unknown kind is named in words.
std::string chart_html(const Json& chart);

}  // namespace openbook::attribution
