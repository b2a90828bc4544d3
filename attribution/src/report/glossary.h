// The page's words: settings, data sets and figures that mean something of their own here.
#pragma once

#include <string>

namespace openbook::attribution {

std::string glossary_html();  // a <section id="glossary">

}  // namespace openbook::attribution
