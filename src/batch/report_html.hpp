// One web page that shows a whole report and needs nothing besides itself.
#pragma once

#include "batch/report_charts.hpp"

namespace chandler::batch {

// Pictures inside, no script from elsewhere, no network. Tables can be sorted by a click on a heading and
// filtered; long ones show their first rows and say where the rest is. Pure.
std::string report_html(const ReportTable& summary, const std::vector<ReportTable>& tables,
                        const std::vector<ReportPlot>& plots);

}  // namespace chandler::batch
